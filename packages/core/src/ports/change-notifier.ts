import type { CallOptions } from '../call-options.ts';
import type { Change } from '../layout/repo-tree.ts';
import type { CommitId } from '../model/identifier.ts';

/** Tells Argo CD, or anybody, what a commit changed, so that it need not poll. Losing a notification loses only time. */
export interface ChangeNotifier {
  notify(notification: ChangeNotification, options?: CallOptions): Promise<void>;
}

export interface ChangeNotification {
  readonly commit: CommitId;
  /** With their paths in the repository. */
  readonly edits: Change;
  /** Applications whose files are among the edits. */
  readonly applications: readonly string[];
}
