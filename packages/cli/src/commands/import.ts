import type { Import } from '@lockstep/sdk'
import type { Command } from 'commander'
import { confirm } from '../confirm.ts'
import { contextOf } from '../context.ts'
import { green, red } from '../output/style.ts'
import { table } from '../output/table.ts'

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
        const { id } = await client.imports.create({ dryRun: isDry })
        const ended = await client.imports.ended(id, {
          onProgress: (now) => output.json || process.stderr.write(`\r${progressText(now)}`),
        })
        if (!output.json) process.stderr.write('\n')
        return ended
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
      if (!isProven(done)) process.exitCode = 1
    })
}

type Proof = NonNullable<Import['proof']>

function progressText({ progress, secondsLeft, problem }: Import): string {
  const parts = progress.map(({ type, looked }) => `${looked} × ${type}`)
  const left = secondsLeft === null ? '' : `, about ${secondsLeft} s left`
  const waits = problem === null ? '' : ` (waits: ${problem.detail})`
  return `${parts.join(', ')}${left}${waits}  `
}

function isProven({ proof }: Import): boolean {
  return (
    proof !== null &&
    proof.unequalCount === 0 &&
    proof.mrr.every(({ there, here }) => there === here) &&
    proof.counts.every(({ there, here }) => there <= here) &&
    (proof.usage?.notCarriedOver.length ?? 0) === 0 &&
    (proof.usage?.amounts ?? []).every(({ there, here }) => there === here)
  )
}

const leftBecause: Readonly<Record<Import['left'][number]['reason'], string>> = {
  metered: 'left to the meters of Stripe, which count and bill it.',
  catalogue: 'left: the catalogue says what its product costs.',
  own: 'left: it was made here, and unlinked.',
}

function usageText({ carriedOver, notCarriedOver, amounts }: NonNullable<Proof['usage']>): string {
  const sums = amounts.map(({ currency, there, here }) => `${here} of ${there} ${currency}`).join(', ')
  const shown = `What Stripe has counted so far is shown on ${carriedOver} current invoices: ${sums || 'nothing'} (minor units).`
  if (notCarriedOver.length === 0) return shown
  return `${shown}\n${red('✗')} Stripe did not say it of ${notCarriedOver.join(', ')}; it is asked again.`
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
  if (state === 'failed') parts.push(`${red('✗')} It failed before its end: ${problem?.detail ?? ''}`)
  if (left.length > 0)
    parts.push(left.map(({ providerId, reason }) => `${providerId}: ${leftBecause[reason]}`).join('\n'))
  if (refusals.length > 0)
    parts.push(refusals.map(({ providerId, detail }) => `${red('✗')} ${providerId}: ${detail}`).join('\n'))
  if (proof !== null) {
    const mrr = proof.mrr.map(({ currency, there, here }) => `${here} of ${there} ${currency}`).join(', ')
    const mark = isProven(run) ? green('✓') : red('✗')
    parts.push(
      `${mark} ${proof.subscriptions} subscriptions held against each other, ${proof.unequalCount} differ; a month brings ${mrr || 'nothing'} (minor units).`,
    )
    if (proof.meteredThere > 0)
      parts.push(
        `${proof.meteredThere} subscriptions have usage that Stripe itself measures and bills: it stays there.`,
      )
    if (proof.usage !== undefined && proof.meteredThere > 0) parts.push(usageText(proof.usage))
  }
  return parts.join('\n\n')
}
