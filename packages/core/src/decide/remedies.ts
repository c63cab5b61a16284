import type { CatalogueDrift } from '../catalogue/decide-catalogue.ts';
import type { DriftKind } from '../model/git-state.ts';

/**
 * How the rows and Git disagree: what is flagged ({@link DriftKind}, {@link CatalogueDrift}), and what is not, because the loops
 * put it right by themselves. `git-behind`: Git does not have yet what the row wants. `unrecorded`: it has, and the database
 * does not know. `git-rewound`: the branch was forced back. `unexaminable`: the row cannot be rendered.
 */
export type FindingKind = DriftKind | CatalogueDrift | 'git-behind' | 'unrecorded' | 'git-rewound' | 'unexaminable';

/**
 * What can be done about a finding. `database-wins`: Git is made what the row wants. `git-wins`: the row is made what Git says.
 * `delete`: what nobody has a row for is deleted as an instance is. `reconcile`: the loops are asked to look now.
 */
export type RemedyName = 'database-wins' | 'git-wins' | 'delete' | 'reconcile';

/** One way out of a disagreement. */
export interface Remedy {
  readonly name: RemedyName;
  /** What it will do, for the person who has to choose. */
  readonly effect: string;
}

export interface RemedyFacts {
  readonly kind: FindingKind;
  readonly hasRow: boolean;
  /** Whether the row wants the instance to be there. */
  readonly isWanted: boolean;
  /** Whether the row can be made what Git says: the edit is one that a row can express, the change one of this instance. */
  readonly isExpressible: boolean;
  /** Whether rows can be inserted here (`RepositoryCapabilities.ownsRows`). */
  readonly ownsRows: boolean;
}

/** What is wrong, in a sentence for the person who has to choose. */
export function explainFinding(kind: FindingKind): string {
  return EXPLANATIONS[kind];
}

/** Says what can be done about a finding. None: it is for a person to put right in Git, or in the options. */
export function remediesOf({ kind, hasRow, isWanted, isExpressible, ownsRows }: RemedyFacts): readonly Remedy[] {
  const choices: readonly (readonly [possible: boolean, name: RemedyName, effect: string | undefined])[] = [
    [hasRow, 'database-wins', DATABASE_WINS[kind]],
    [gitMayWin(), 'git-wins', GIT_WINS[kind]],
    [ownsRows, 'delete', kind === 'orphan' ? DELETE : undefined],
    [true, 'reconcile', RECONCILE[kind]],
  ];
  return choices.flatMap(([possible, name, effect]) => (possible && effect !== undefined ? [{ name, effect }] : []));

  function gitMayWin(): boolean {
    if (!hasRow) return ownsRows;
    if (kind === 'catalogue-behind') return true;
    if (kind === 'missing' || kind === 'deleted-in-git') return isWanted;
    return isWanted && isExpressible;
  }
}

type Texts = Partial<Readonly<Record<FindingKind, string>>>;

const EXPLANATIONS: Readonly<Record<FindingKind, string>> = {
  'manual-edit': 'Files of the instance were changed, added or removed in Git by hand.',
  missing: 'The directory of the instance was removed from Git by hand.',
  'database-behind':
    'Git has a change of the instance that this database never made: the database was restored from an older backup.',
  'deleted-in-git':
    'The instance was deleted by a change that this database never made: the database was restored from an older backup.',
  orphan: 'Git has an instance of this database for which there is no row: it was created after the backup.',
  'tombstone-orphan': 'Git remembers the deletion of an instance for which there is no row.',
  foreign: 'The directory is not one of this database. It is ignored.',
  'marker-invalid':
    'The marker or the tombstone of the instance cannot be read, so it is unknown which change wrote it.',
  'git-behind': 'Git does not have yet what the row wants. A worker writes it; where none runs, nothing does.',
  unrecorded: 'Git has what the row wants, and the database does not know it yet: an acknowledgement was lost.',
  'git-rewound':
    'The branch was forced back, or restored from a backup: a commit that was seen on it is no longer part of it.',
  unexaminable: 'The row cannot be rendered, so it cannot be compared with Git.',
  'catalogue-edited': 'A file of the catalogue was changed in Git by hand, or cannot be read.',
  'catalogue-behind':
    'The template version is deprecated in Git and not in the database: the database was restored from an older backup.',
  'catalogue-conflict': 'Git and the database have different rows under one id.',
  'catalogue-orphan': 'Git has a row of the catalogue that the database does not have.',
};

const DATABASE_WINS: Texts = {
  'manual-edit': 'Writes the files again as the row wants them. The edit stays in the history of Git.',
  missing: 'Writes the directory again.',
  'database-behind':
    'Overwrites what Git has with what the row wants. What was changed after the backup is lost, but for the history of Git.',
  'deleted-in-git':
    'Brings the instance back as its row has it, or deletes it once more where the row is being deleted.',
  'marker-invalid': 'Overwrites everything that lies there with what the row wants.',
  'catalogue-edited': 'Writes the file again as the row has it.',
  'catalogue-behind': 'Takes the deprecation out of Git: the version takes new instances again.',
  'catalogue-conflict': 'Overwrites the file with the row of the database.',
};

const GIT_WINS: Texts = {
  'manual-edit': 'Makes the edit what the row wants, as a change of its own.',
  missing: 'Deletes the instance, with its data unless its deletion policy says otherwise.',
  'database-behind':
    'Makes the row what the marker in Git says, as a change of its own. Files that were edited by hand are written again.',
  'deleted-in-git': 'Deletes the instance in the database too.',
  orphan: 'Inserts a row as the marker says. The cluster does not notice.',
  'tombstone-orphan': 'Inserts a row that is Deleted, as Git remembers it.',
  'catalogue-behind': 'Deprecates the version in the database.',
  'catalogue-orphan': 'Inserts the row as Git has it.',
};

const DELETE =
  'Deletes the instance from Git and the cluster, with its data unless its deletion policy says otherwise. A row for it stays as Deleted.';

const RECONCILE: Texts = {
  'git-behind': 'Asks for it to be written now.',
  unrecorded: 'Asks for it to be recorded now.',
  'git-rewound': 'Compares every row with Git, and writes again what the branch has lost.',
};
