/** Starts the broker's worker threads, from source or from the build. */
import { Worker, type ResourceLimits } from 'node:worker_threads';

/** The source is TypeScript that Node runs as it is; the build is JavaScript with the same layout. */
export function startThread(name: 'store/thread' | 'dns/thread', resourceLimits: ResourceLimits = {}): Worker {
  const isSource = import.meta.url.endsWith('.ts');
  const execArgv = isSource ? ['--conditions=lanyard-source'] : [];
  return new Worker(new URL(`./${name}.${isSource ? 'ts' : 'js'}`, import.meta.url), { execArgv, resourceLimits });
}
