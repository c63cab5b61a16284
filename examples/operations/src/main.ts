// Every operation of the product, one after the other. Each checks its own result; the first that fails ends the program.
import { correctDrift } from './correct-drift.ts';
import { createInstance } from './create-instance.ts';
import { deleteInstance } from './delete-instance.ts';
import { updateValues } from './update-values.ts';
import { upgradeTemplateVersion } from './upgrade-template-version.ts';

for (const operation of [createInstance, updateValues, upgradeTemplateVersion, deleteInstance, correctDrift]) {
  try {
    console.log(await operation());
  } catch (error) {
    console.error(`${operation.name} failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
    break;
  }
}
