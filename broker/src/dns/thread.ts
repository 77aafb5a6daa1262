/** Entry of the DNS thread: an event loop of its own, so that nothing else in the broker delays an answer. */
import { parentPort } from 'node:worker_threads';
import { systemClock } from '@lanyard/sdk/kernel';
import type { ThreadRequest } from './thread-messages.ts';
import { ThreadService } from './thread-service.ts';

if (parentPort === null) throw new Error('the DNS thread is started by the broker');
const port = parentPort;
const service = new ThreadService({ clock: systemClock, post: (reply) => port.postMessage(reply) });
port.on('message', (request: ThreadRequest) => void service.handle(request));
