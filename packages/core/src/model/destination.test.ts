import { describe, expect, it } from 'vitest';
import { hostileTexts, thrown } from '../../test/thrown.ts';
import { IN_CLUSTER, parseDestination } from './destination.ts';

describe('a destination', () => {
  it.each([
    'https://kubernetes.default.svc',
    'https://203.0.113.7:6443',
    'https://[2001:db8::1]:6443',
    'https://rancher.example.com/k8s/clusters/c-m-x7',
  ])('may be the server %s', (server) => {
    expect(parseDestination({ server })).toEqual({ server });
  });

  it('may be a cluster that Argo CD knows by name', () => {
    expect(parseDestination({ name: 'eu-west.prod_1' })).toEqual({ name: 'eu-west.prod_1' });
    expect(parseDestination(IN_CLUSTER)).toEqual(IN_CLUSTER);
  });

  it('is one of the two', () => {
    thrown('INVALID_INPUT', () => parseDestination({}));
    thrown('INVALID_INPUT', () => parseDestination({ ...IN_CLUSTER, name: 'in-cluster' }));
    thrown('INVALID_INPUT', () => parseDestination({ ...IN_CLUSTER, namespace: 'x' }));
    thrown('INVALID_INPUT', () => parseDestination('https://kubernetes.default.svc'));
  });

  it('has a server of at most 253 characters', () => {
    const server = (length: number) => `https://x/${'a'.repeat(length - 'https://x/'.length)}`;
    for (const length of [252, 253])
      expect(parseDestination({ server: server(length) })).toEqual({ server: server(length) });
    thrown('REPOSITORY_URL_INVALID', () => parseDestination({ server: server(254) }));
  });

  it.each([
    'http://kubernetes.default.svc',
    'https://admin:canary-7f3a@10.0.0.1',
    'https://canary-7f3a@10.0.0.1',
    'https://10.0.0.1?token=canary-7f3a',
    'https://10.0.0.1/#canary-7f3a',
    'https://10.0.0.1:65536',
    'https://10.0.0.1/../x',
    'https://10.0.0.1/./x',
    'https://',
    'https://:443',
    'https://ex\u0430mple.com',
    'https://10.0.0.1\n',
    'javascript:alert(1)',
    '',
  ])('has no server such as %j, and does not repeat it', (server) => {
    const error = thrown('REPOSITORY_URL_INVALID', () => parseDestination({ server }));
    expect(JSON.stringify([error.message, error.details])).not.toContain('canary');
    expect(error.details.issues[0]?.path).toBe('/server');
  });

  it.each(hostileTexts)('has no name that is %s', (_why, name) => {
    thrown('NAME_INVALID', () => parseDestination({ name }));
  });

  it('has a name of at most 63 characters', () => {
    expect(parseDestination({ name: 'a'.repeat(63) })).toEqual({ name: 'a'.repeat(63) });
    thrown('NAME_INVALID', () => parseDestination({ name: 'a'.repeat(64) }));
  });
});
