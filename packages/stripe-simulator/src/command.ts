import { Command, InvalidArgumentError, Option } from 'commander'
import { startSimulator } from './simulator.ts'
import { newest } from './versions/versions.ts'

/** Signs what is forwarded unless another is given. Always the same, so that it can stand in a file of settings. */
const FORWARD_SECRET = 'whsec_simulator'

interface Options {
  readonly port: number
  readonly host: string
  readonly apiVersion: string
  readonly forwardTo: readonly string[]
  readonly webhookSecret: string
  readonly rateLimits?: 'live' | 'sandbox'
  readonly state?: string
}

/** The command line: starts a simulator, says where it is, and stops it by a signal. */
export async function runCommand(version: string): Promise<void> {
  const options = new Command('stripe-simulator')
    .description('A stateful Stripe that runs offline, with clocks you can turn.')
    .version(version)
    .option('--port <number>', 'port to listen on, 0 for a free one', portOf, 12111)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--api-version <version>', "the account's API version", newest)
    .option('--forward-to <url>', 'send every event there; may be given again', also, [])
    .option('--webhook-secret <secret>', 'signs what is forwarded', FORWARD_SECRET)
    .addOption(
      new Option('--rate-limits <which>', 'take no more requests than Stripe').choices(['live', 'sandbox']),
    )
    .option('--state <file>', 'file that keeps the state between runs, kills included')
    .parse()
    .opts<Options>()
  const { port, host, apiVersion, forwardTo, webhookSecret: secret, rateLimits, state } = options

  const simulator = await startSimulator({
    port,
    host,
    apiVersion,
    settings: { rateLimits: rateLimits ?? null },
    webhooks: forwardTo.map((url) => ({ url, secret })),
    ...(state === undefined ? {} : { stateFile: state }),
  }).catch((error: NodeJS.ErrnoException) => {
    const taken = `Port ${port} of ${host} is taken. --port takes another, 0 a free one.`
    console.error(error.code === 'EADDRINUSE' ? taken : error.message)
    process.exit(1)
  })
  console.log(`A Stripe that runs offline, API version ${apiVersion}: ${simulator.url}`)
  console.log(`  keys    any sk_test_... or rk_test_...`)
  console.log(`  window  ${simulator.url}/`)
  for (const url of forwardTo) console.log(`  events  ${url}, signed with ${secret}`)
  console.log(`  state   ${state ?? 'in memory; --state <file> keeps it'}`)

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      void simulator.close().then(() => process.exit(0))
    })
  }
}

function portOf(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535)
    throw new InvalidArgumentError('A port is 0 to 65535.')
  return Number(text)
}

function also(url: string, before: readonly string[]): readonly string[] {
  return [...before, url]
}
