import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AttachOptions } from './attach-options.ts';
import { attachedPlan } from './attached-plan.ts';
import { hostMapping, parseHostMapping } from './host-mapping.ts';

const least: AttachOptions = { deployment: { tenant: 'owner', tier: { value: 'free' } }, triggers: 'none' };
const withDeployment = (other: Partial<AttachOptions['deployment']>): AttachOptions => ({
  ...least,
  deployment: { ...least.deployment, ...other },
});
const refused = (options: AttachOptions) => 'length' in parseHostMapping(options);

describe('hostMapping', () => {
  it('fills in the original names', () => {
    const { tables } = hostMapping(least);
    expect(tables.deployment.sql).toBe('"public"."deployment"');
    expect(Object.keys(tables.deployment.added)).toEqual([
      'git_path',
      'argo_app_name',
      'last_synced_at',
      'sync_status',
      'status',
    ]);
    expect(tables['template-version'].added).toEqual({
      helm_chart_repo_url: 'text',
      chart_version: 'text',
      default_values: 'text',
    });
  });

  it.each([
    '',
    ' ',
    '1st',
    'a b',
    'a-b',
    'a.b',
    'a"',
    `a'`,
    'a"; DROP TABLE x; --',
    '$1',
    '?',
    'a\0',
    'é',
    '\ud800',
    'a\n',
  ])('takes no name such as %j', (text) => {
    expect(refused({ ...least, schema: text })).toBe(true);
    expect(refused({ ...least, product: { table: text } })).toBe(true);
    expect(refused({ ...least, templateVersion: { id: text } })).toBe(true);
    expect(refused(withDeployment({ hostname: text }))).toBe(true);
    expect(refused(withDeployment({ tenant: { columns: [text], read: () => null } }))).toBe(true);
  });

  it('takes a name of 63 characters, and none of 64', () => {
    expect(refused(withDeployment({ hostname: 'a'.repeat(63) }))).toBe(false);
    expect(refused(withDeployment({ hostname: 'a'.repeat(64) }))).toBe(true);
  });

  it('gives each word and each column one meaning', () => {
    expect(refused(withDeployment({ status: { words: { Running: 'up', Failed: 'up' } } }))).toBe(true);
    expect(refused(withDeployment({ status: { held: ['Running'] } }))).toBe(true);
    expect(refused(withDeployment({ status: { alsoRead: { booting: 'Pending' } } }))).toBe(false);
    expect(refused(withDeployment({ hostname: 'status' }))).toBe(true);
    expect(refused(withDeployment({ lastError: 'git_path' }))).toBe(true);
  });

  it('wants to be told whose an instance is', () => {
    expect(refused({ deployment: {}, triggers: 'none' } as unknown as AttachOptions)).toBe(true);
    expect(refused({ ...least, triggers: 'perhaps' } as unknown as AttachOptions)).toBe(true);
    expect(refused({ ...least, timeZone: `UTC'; DROP TABLE x; --` })).toBe(true);
  });

  it('lets nothing into a statement that could end a name or a text in it', () => {
    const texts = fc.oneof(fc.string({ unit: 'binary', maxLength: 70 }), fc.stringMatching(/^[a-z'"$;?\\-]{1,9}$/));
    const anywhere = fc.property(texts, fc.constantFrom('word', 'name', 'zone'), (text, place) => {
      const options = {
        word: withDeployment({ status: { held: [text] } }),
        name: withDeployment({ hostname: text }),
        zone: { ...least, timeZone: text },
      }[place];
      const parsed = parseHostMapping(options);
      if ('length' in parsed) return;
      for (const { up, down } of attachedPlan('caelus', parsed).repeatables.slice(-3)) {
        expect([...up, ...down].join('\n')).not.toContain('?');
      }
      expect(text).not.toMatch(/["'\\;$?]/);
    });
    fc.assert(anywhere);
  });
});
