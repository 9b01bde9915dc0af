import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { addAddons } from './commands/addons.ts'
import { addApiKeys } from './commands/api-keys.ts'
import { addBus } from './commands/bus.ts'
import { addCatalog } from './commands/catalog.ts'
import { addClock } from './commands/clock.ts'
import { addContracts } from './commands/contracts.ts'
import { addCustomers } from './commands/customers.ts'
import { addDeliveries } from './commands/deliveries.ts'
import { addDisputes } from './commands/disputes.ts'
import { addDrift } from './commands/drift.ts'
import { addEntitlements } from './commands/entitlements.ts'
import { addEventSweeps } from './commands/event-sweeps.ts'
import { addEvents } from './commands/events.ts'
import { addImport } from './commands/import.ts'
import { addInvoices } from './commands/invoices.ts'
import { addLimits } from './commands/limits.ts'
import { addMappings } from './commands/mappings.ts'
import { addOrphans } from './commands/orphans.ts'
import { addPlanRolls } from './commands/plan-rolls.ts'
import { addRefunds } from './commands/refunds.ts'
import { addRegistrations } from './commands/registrations.ts'
import { addServiceCommands } from './commands/service.ts'
import { addSubscriptions } from './commands/subscriptions.ts'
import { addSync } from './commands/sync.ts'
import { addUsage } from './commands/usage.ts'
import { addWebhookEndpoints } from './commands/webhook-endpoints.ts'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string
}

/** Every command there is, in the order that somebody new meets them. */
const commands = [
  addServiceCommands,
  addCatalog,
  addAddons,
  addPlanRolls,
  addCustomers,
  addRegistrations,
  addSubscriptions,
  addContracts,
  addEntitlements,
  addUsage,
  addInvoices,
  addDisputes,
  addRefunds,
  addLimits,
  addSync,
  addBus,
  addEvents,
  addEventSweeps,
  addMappings,
  addWebhookEndpoints,
  addDeliveries,
  addImport,
  addDrift,
  addOrphans,
  addClock,
  addApiKeys,
]

export function createProgram(): Command {
  const program = new Command('lockstep')
    .description('Keeps an application and its payment provider in step.')
    .version(version)
    .option('--url <address>', 'where the service listens (or LOCKSTEP_URL)')
    .option('--key <key>', 'an API key (or LOCKSTEP_API_KEY)')
    .option('--json', 'print results as JSON')
    .showHelpAfterError('(--help shows what there is)')
    .exitOverride()
    .addHelpText(
      'after',
      '\nWithout --url and --key, what `lockstep start` wrote to .lockstep/local.json is used.\nExit codes: 0 done, 1 failed, 2 wrong usage.',
    )
  // Subcommands take over what is set here, so it comes first.
  for (const add of commands) add(program)
  return program
}
