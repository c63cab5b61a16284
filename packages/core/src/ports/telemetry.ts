/** Hooks around everything that takes time. A hook that throws changes nothing. */
export interface Telemetry {
  onOperationStart?(operation: Operation): void;
  onOperationEnd?(operation: Operation, outcome: OperationOutcome): void;
}

export interface Operation {
  /** Pairs a start with its end. */
  readonly id: number;
  /** `noun-verb`: `batch-project`, `status-observe`, `instance-create`. */
  readonly name: string;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

export interface OperationOutcome {
  readonly milliseconds: number;
  readonly error?: unknown;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}
