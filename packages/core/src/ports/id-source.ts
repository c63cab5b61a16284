/** Makes ids that nobody can guess and no two callers share. */
export interface IdSource {
  /** A UUID in lower case. Version 7 sorts by time, which keeps indexes small. */
  uuid(): string;
}
