import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** In /proc/net/tcp, of a socket that listens. */
const LISTENING = '0A';

/** The addresses, as /proc writes them, on which a process listens by TCP. */
export function listeningAddresses(pid: number): readonly string[] {
  const sockets = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => /^socket:\[(\d+)\]$/.exec(readLink(`/proc/${pid}/fd/${fd}`))?.[1]),
  );
  return ['tcp', 'tcp6'].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === LISTENING && sockets.has(fields[9]))
      .map((fields) => fields[1]?.split(':')[0] ?? ''),
  );
}

/** 127.0.0.1, as an IPv4 socket and as an IPv6 socket has it. */
export const LOOPBACK: readonly string[] = ['0100007F', '0000000000000000FFFF00000100007F'];

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    // It was closed since the folder was read.
    return '';
  }
}
