import type { Client, Import } from '@lockstep/sdk'
import { ProblemError } from '@lockstep/sdk/problem-error'
import type { Command } from 'commander'
import { confirm } from '../confirm.ts'
import { contextOf } from '../context.ts'
import { secondsText } from '../output/format.ts'
import { isProven, proofTexts } from '../output/import-proof-text.ts'
import { type Report, withProgress } from '../output/progress.ts'
import { red } from '../output/style.ts'
import { table } from '../output/table.ts'
import { firstOf } from './arguments.ts'

export function addImport(program: Command): void {
  program
    .command('import')
    .description('take up what stands elsewhere')
    .command('stripe')
    .description('take up the whole Stripe account; nothing is changed there')
    .option('--dry-run', 'only say what would be made')
    .option('--yes', "don't ask")
    .action(async ({ dryRun = false, yes }: { dryRun?: boolean; yes?: boolean }, command: Command) => {
      const { client, output } = contextOf(command)
      const run = async (isDry: boolean) => {
        const { id } = await begin(client, isDry)
        const work = async (report: Report) => {
          const result = await client.imports.ended(id, { onProgress: (now) => report(progressText(now)) })
          return { result, summary: result.state }
        }
        const title = isDry ? 'Looking at what stands at Stripe' : 'Taking up what stands at Stripe'
        return withProgress(title, work, { json: output.json })
      }
      if (dryRun || !yes) {
        const planned = await run(true)
        if (planned.state === 'failed') process.exitCode = 1
        if (dryRun || planned.state === 'failed') return output.result(planned, importText)
        if (!output.json) output.result(planned, importText)
        await confirm('Take it up?')
      }
      const done = await run(false)
      output.result(done, importText)
      if (!isProven(done.proof)) process.exitCode = 1
    })
}

/** One that is under way already goes on by itself, whoever began it and whatever became of them: it is followed. */
async function begin(client: Client, dryRun: boolean): Promise<Pick<Import, 'id'>> {
  try {
    return await client.imports.create({ dryRun })
  } catch (error) {
    if (!(error instanceof ProblemError) || error.code !== 'import_in_progress') throw error
    const [running] = await firstOf(client.imports.list({ limit: 1 }), 1)
    if (running?.dryRun !== dryRun) throw error
    process.stderr.write(`${running.id} is under way already: following it.\n`)
    return running
  }
}

function progressText({ progress, secondsLeft, problem }: Import): string {
  const parts = progress.map(({ type, looked }) => `${looked} × ${type}`)
  const left = secondsLeft === null ? '' : `, about ${secondsText(secondsLeft)} left`
  const waits = problem === null ? '' : ` (waits: ${problem.detail})`
  return `${parts.join(', ')}${left}${waits}`
}

const leftBecause: Readonly<Record<Import['left'][number]['reason'], string>> = {
  metered: 'left to the meters of Stripe, which count and bill it.',
  catalogue: 'left: the catalogue says what its product costs.',
  own: 'left: it was made here, and unlinked.',
}

function importText(run: Import): string {
  const { dryRun, state, problem, progress, left, refusals, proof } = run
  const parts = [
    table(progress, [
      { title: 'at Stripe', cell: ({ type }) => type },
      { title: 'looked at', cell: ({ looked }) => `${looked}` },
      { title: dryRun ? 'would make' : 'made', cell: ({ made }) => `${made}` },
      { title: 'known', cell: ({ known }) => `${known}` },
      { title: 'left as is', cell: ({ left }) => `${left}` },
      { title: 'of others', cell: ({ foreign }) => `${foreign}` },
      { title: 'refused', cell: ({ refused }) => `${refused}` },
    ]),
  ]
  const metered = progress.reduce((sum, one) => sum + (one.metered ?? 0), 0)
  if (dryRun && metered > 0)
    parts.push(
      `Stripe itself measures and bills usage of ${metered} × subscription: what it has counted would be asked for, in one call each.`,
    )
  if (state === 'failed') parts.push(`${red('✗')} It failed before its end: ${problem?.detail ?? ''}`)
  if (left.length > 0)
    parts.push(left.map(({ providerId, reason }) => `${providerId}: ${leftBecause[reason]}`).join('\n'))
  if (refusals.length > 0)
    parts.push(refusals.map(({ providerId, detail }) => `${red('✗')} ${providerId}: ${detail}`).join('\n'))
  if (proof !== null) parts.push(...proofTexts(run.id, proof))
  return parts.join('\n\n')
}
