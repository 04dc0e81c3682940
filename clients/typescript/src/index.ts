/** Start identity verifications through Temporal and wait for their verdicts. */
export * from './client.js';
export * from './codec.js';
export * from './types.js';
