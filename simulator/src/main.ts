#!/usr/bin/env node
/** The process "lanyard-simulator". */
import process from 'node:process';
import { runCommand } from './command.ts';

const exitCode = await runCommand(process.argv.slice(2));
// A scenario that was interrupted still has its hands full of appliances: nobody waits for those any more.
process.exit(exitCode);
