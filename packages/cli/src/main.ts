#!/usr/bin/env node
import { exitCodeOf, printFailure } from './failure.ts'
import { createProgram } from './program.ts'

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
