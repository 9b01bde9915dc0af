#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'

// Half of a command's time would go into compiling it. In a folder of the user's own, as what is read there is run; who has
// none, as in a container without a name for its user, does without.
const { XDG_CACHE_HOME: cache, HOME: home } = process.env
const folder = cache || (home && join(home, '.cache'))
if (folder) enableCompileCache(join(folder, 'lockstep', 'compiled'))
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
