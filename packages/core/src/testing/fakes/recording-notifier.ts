import type { ChangeNotification, ChangeNotifier } from '../../ports/change-notifier.ts';

/** A notifier that keeps what it was told. */
export interface RecordingNotifier extends ChangeNotifier {
  readonly notifications: readonly ChangeNotification[];
}

/** Makes a notifier for tests. `fail`, where given, is thrown instead of taking a notification. */
export function createRecordingNotifier(fail?: () => Error | undefined): RecordingNotifier {
  const notifications: ChangeNotification[] = [];
  return {
    notifications,
    async notify(notification, { signal } = {}) {
      signal?.throwIfAborted();
      const error = fail?.();
      if (error) throw error;
      notifications.push(notification);
    },
  };
}
