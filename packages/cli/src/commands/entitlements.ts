import type { Command } from 'commander'
import { contextOf } from '../context.ts'
import { entitlementTable } from '../output/entitlement-text.ts'
import { CUSTOMER } from './arguments.ts'

export function addEntitlements(program: Command): void {
  program
    .command('entitlements')
    .description('what a customer may use now, and why')
    .argument('<customer>', CUSTOMER)
    .option('--feature <key>', 'this one alone; ends with 1 where it is not allowed')
    .action(async (customer: string, { feature }: { feature?: string }, command: Command) => {
      const { client, output } = contextOf(command)
      const { data } = await client.entitlements.read({ customer, feature })
      output.result(data, entitlementTable)
      if (feature !== undefined && !data.every(({ allowed }) => allowed)) process.exitCode = 1
    })
}
