// What needs Node.js: named re-exports only.

export { createNodeFetch, type NodeFetch, type NodeFetchOptions } from './create-node-fetch.ts';
