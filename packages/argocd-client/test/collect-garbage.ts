import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Collects garbage until `promise` is settled. */
export async function collectGarbageUntil<T>(promise: Promise<T>): Promise<T> {
  const timer = setInterval(collect, 5);
  return promise.finally(() => clearInterval(timer));
}
