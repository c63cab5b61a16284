import type { Options } from 'tsup';
import { packageBuild } from '../../tsup.base.ts';

const build: Options = packageBuild({ index: 'src/index.ts', 'node/index': 'src/node/index.ts' });
export default build;
