import { createInterface } from 'node:readline/promises'
import { UsageError } from './usage-error.ts'

/** Asks before something is done; who does not say yes, or cannot be asked, has done nothing. */
export async function confirm(question: string): Promise<void> {
  if (!process.stdin.isTTY)
    throw new UsageError('Nobody is here to confirm it.', 'Say --yes to go on without being asked.')
  const readline = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await readline.question(`\n${question} [y/N] `)
  readline.close()
  if (!/^y(es)?$/i.test(answer.trim())) throw new UsageError('Nothing was changed.', 'Answer y to go on.')
}
