import type { Drift, DriftRepairs, DriftReport } from '@lockstep/sdk'
import type { Command } from 'commander'
import { confirm } from '../confirm.ts'
import { contextOf } from '../context.ts'
import { green, red } from '../output/style.ts'
import { table } from '../output/table.ts'

export function addDrift(program: Command): void {
  const drift = program
    .command('drift')
    .description('hold everything here against the provider; ends with 1 where they differ')
    .action(async (_options: unknown, command: Command) => {
      const { client, output } = contextOf(command)
      const report = await client.drift.find()
      output.result(report, reportText)
      if (report.drifts.length > 0) process.exitCode = 1
    })
  drift
    .command('repair')
    .description('say what can be repaired safely; with --apply, do it')
    .option('--apply', 'repair, as shown')
    .option('--yes', "don't ask")
    .action(async ({ apply, yes }: { apply?: boolean; yes?: boolean }, command: Command) => {
      const { client, output } = contextOf(command)
      const planned = apply && yes ? undefined : await client.drift.repair()
      if (planned && (!apply || !output.json)) output.result(planned, repairsText)
      if (!apply || planned?.repairs.length === 0) return
      if (!yes) await confirm('Repair these?')
      const done = await client.drift.repair({ dryRun: false })
      output.result(done, repairsText)
      if (done.left.drifts.length > 0) process.exitCode = 1
    })
}

function reportText({ looked, underWay, drifts }: DriftReport): string {
  const waiting =
    underWay === 0 ? '' : ` ${underWay === 1 ? 'One is' : `${underWay} are`} being brought up to date.`
  if (drifts.length === 0)
    return `${green('✓')} Held ${looked} objects against each other: no difference.${waiting}`
  return `${red('✗')} Of ${looked} objects, ${drifts.length} differ.${waiting}\n\n${driftTable(drifts)}`
}

function repairsText({ dryRun, repairs, left }: DriftRepairs): string {
  const parts: string[] = []
  if (repairs.length > 0)
    parts.push(dryRun ? 'Would be repaired:' : 'Repaired:', driftTable(repairs.map(({ drift }) => drift)))
  for (const { drift, refused } of repairs)
    if (refused !== null) parts.push(`${red('✗')} ${drift.providerId}: ${refused}`)
  if (left.drifts.length > 0) parts.push('Left for a person:', driftTable(left.drifts))
  return parts.length === 0 ? `${green('✓')} There is nothing to repair.` : parts.join('\n\n')
}

function driftTable(drifts: readonly Drift[]): string {
  return table(drifts, [
    { title: 'object', cell: ({ providerId, entityId }) => providerId ?? entityId ?? '' },
    { title: 'difference', cell: differenceText },
    { title: 'cause', cell: ({ cause }) => cause },
    { title: 'repair', cell: ({ repair }) => repair ?? 'none' },
    { title: 'because', cell: ({ reason }) => reason },
  ])
}

function differenceText({ kind, differences }: Drift): string {
  if (kind === 'missingThere') return 'not at the provider'
  if (kind === 'missingHere') return 'not here'
  return differences
    .map(({ field, here, there }) => `${field} ${valueText(here)} here, ${valueText(there)} there`)
    .join('; ')
}

/** What is not said on one side, or names nothing, is told as that. */
const valueText = (value: Drift['differences'][number]['here']) =>
  value === null || value === '' ? 'none' : `${value}`
