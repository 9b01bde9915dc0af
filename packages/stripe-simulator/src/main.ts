#!/usr/bin/env node
import { Command } from 'commander'
import { startSimulator } from './simulator.ts'
import { newest } from './versions/versions.ts'

const { port, host, state, apiVersion } = new Command('stripe-simulator')
  .description('A stateful Stripe that runs offline, with clocks you can turn.')
  .option('--port <number>', 'port to listen on', '12111')
  .option('--host <address>', 'address to listen on', '127.0.0.1')
  .option('--api-version <version>', "the account's API version", newest)
  .option('--state <file>', 'file to keep the state in between runs')
  .parse()
  .opts<{ port: string; host: string; apiVersion: string; state?: string }>()

const simulator = await startSimulator({
  port: Number(port),
  host,
  apiVersion,
  ...(state === undefined ? {} : { stateFile: state }),
})
console.log(`stripe-simulator listens on ${simulator.url}`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void simulator.close().then(() => process.exit(0))
  })
}
