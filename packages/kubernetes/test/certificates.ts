import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A certificate authority, a server's certificate for 127.0.0.1 and a client's, as PEM. */
export interface Certificates {
  readonly authority: string;
  readonly server: { readonly cert: string; readonly key: string };
  readonly client: { readonly cert: string; readonly key: string };
}

/** Makes certificates that are valid for a day. Needs the openssl program. */
export async function makeCertificates(): Promise<Certificates> {
  const directory = await mkdtemp(join(tmpdir(), 'caelus-certificates-'));
  try {
    const openssl = (...parameters: readonly string[]) => run('openssl', parameters, { cwd: directory });
    const read = (name: string) => readFile(join(directory, name), 'utf8');
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    await openssl('req', '-x509', ...ec, '-days', '1', '-subj', '/CN=authority', '-keyout', 'ca.key', '-out', 'ca.crt');
    await writeFile(join(directory, 'server.ext'), 'subjectAltName=IP:127.0.0.1');
    await writeFile(join(directory, 'client.ext'), 'extendedKeyUsage=clientAuth');
    for (const name of ['server', 'client']) {
      await openssl('req', ...ec, '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
      const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '1', '-extfile', `${name}.ext`];
      await openssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-out', `${name}.crt`);
    }
    const pair = async (name: string) => ({ cert: await read(`${name}.crt`), key: await read(`${name}.key`) });
    return { authority: await read('ca.crt'), server: await pair('server'), client: await pair('client') };
  } finally {
    await rm(directory, { recursive: true });
  }
}
