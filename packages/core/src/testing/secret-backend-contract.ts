import assert from 'node:assert/strict';
import type { InstanceId, TenantId } from '../model/identifier.ts';
import type { SecretBackend, SecretEntry, SecretSpec } from '../ports/secret-backend.ts';
import type { ContractRunner } from './contract-runner.ts';

export interface SecretBackendContractOptions {
  readonly name: string;
  create(): Promise<SecretBackend>;
}

/** What every {@link SecretBackend} promises: above all, that nothing which goes to Git shows the secret. */
export function secretBackendContract(
  { describe, it }: ContractRunner,
  { name, create }: SecretBackendContractOptions,
): void {
  const canary = 'correct-horse-battery-staple';
  const value: SecretEntry = { kind: 'value', reveal: () => new TextEncoder().encode(canary) };
  const spec = (entries: ReadonlyMap<string, SecretEntry>): SecretSpec => ({
    tenant: 'acme' as TenantId,
    instanceId: 'one' as InstanceId,
    namespace: 'wiki-1abcdefg',
    name: 'admin',
    entries,
  });

  describe(`secret backend contract: ${name}`, () => {
    it('names the Secret that charts refer to, and writes at least one file', async () => {
      const backend = await create();
      const { files, existingSecret } = await backend.render(spec(new Map([['password', value]])));
      assert.equal(existingSecret, 'admin');
      assert.ok(files.size > 0);
    });

    it('shows the value in no path and no file, in no encoding', async () => {
      const backend = await create();
      const { files } = await backend.render(spec(new Map([['password', value]])));
      const text = [...files].map(([path, bytes]) => `${path}\n${new TextDecoder().decode(bytes)}`).join('\n');
      const forms = [canary, btoa(canary), btoa(`x${canary}`).slice(4, -4), btoa(`xx${canary}`).slice(4, -4)];
      const hex = Array.from(new TextEncoder().encode(canary), (byte) => byte.toString(16).padStart(2, '0')).join('');
      for (const form of [...forms, hex]) assert.ok(!text.includes(form), 'the secret can be read in what goes to Git');
    });

    it('names the namespace, where what it writes is bound to it', async () => {
      const backend = await create();
      if (!backend.capabilities.bindsNamespace) return;
      const { files } = await backend.render(spec(new Map([['password', value]])));
      const text = [...files.values()].map((bytes) => new TextDecoder().decode(bytes)).join('\n');
      assert.match(text, /namespace: wiki-1abcdefg/);
    });

    it('stops with the reason of the signal', async () => {
      const backend = await create();
      const reason = new Error('stopped by the test');
      await assert.rejects(backend.render(spec(new Map()), { signal: AbortSignal.abort(reason) }), reason);
    });
  });
}
