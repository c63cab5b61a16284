// What an operator does after a bad night: a database that was restored from an old backup, a database that is lost, a Git
// repository that is lost. Each story checks its own result; the first that fails ends the program.
import { loseDatabase } from './lose-database.ts';
import { loseGit } from './lose-git.ts';
import { restoreOldBackup } from './restore-old-backup.ts';

for (const story of [restoreOldBackup, loseDatabase, loseGit]) {
  try {
    console.log(await story());
  } catch (error) {
    console.error(`${story.name} failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
    break;
  }
}
