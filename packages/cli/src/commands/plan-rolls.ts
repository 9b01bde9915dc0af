import type { PlanRoll } from '@lockstep/sdk'
import type { Command } from 'commander'
import { contextOf } from '../context.ts'
import { amountText, instantText } from '../output/format.ts'
import { table } from '../output/table.ts'
import { firstOf, parseCount } from './arguments.ts'

interface ListOptions {
  readonly plan?: string
  readonly state?: PlanRoll['state']
  readonly limit: number
}

export function addPlanRolls(program: Command): void {
  const rolls = program
    .command('rolls')
    .description('who is to go on from one version of a plan to another; nothing is done by itself')
  rolls
    .command('list')
    .option('--plan <key>', 'of this plan')
    .option('--state <state>', 'planned, superseded')
    .option('--limit <n>', 'how many', parseCount, 50)
    .action(async ({ plan, state, limit }: ListOptions, command: Command) => {
      const { client, output } = contextOf(command)
      const query = { limit: Math.min(limit, 100), ...(plan && { plan }), ...(state && { state }) }
      output.result(await firstOf(client.planRolls.list(query), limit), rollTable)
    })
}

function rollTable(rolls: PlanRoll[]): string {
  return table(rolls, [
    { title: 'plan', cell: ({ plan }) => plan },
    { title: 'from', cell: ({ from }) => `${from.version}: ${amountText(from.amount)}` },
    { title: 'to', cell: ({ to }) => `${to.version}: ${amountText(to.amount)}` },
    { title: '', cell: ({ to }) => to.amount.currency },
    { title: 'subscriptions', align: 'right', cell: ({ subscriptions }) => `${subscriptions}` },
    { title: 'state', cell: ({ state }) => state },
    { title: 'since', cell: ({ plannedAt }) => instantText(plannedAt) },
  ])
}
