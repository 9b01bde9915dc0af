#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

// Half of a command's time would go into compiling it. In a folder of the user's own: what is read there is run.
enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'lockstep', 'compiled'))
const { exitCodeOf, printFailure } = await import('./failure.ts')
const { createProgram } = await import('./program.ts')

// A reader that had enough (`lockstep customers list | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

try {
  await createProgram().parseAsync()
} catch (error) {
  printFailure(error, { json: process.argv.includes('--json') })
  process.exitCode = exitCodeOf(error)
}
