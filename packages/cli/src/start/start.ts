import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClient } from '@lockstep/sdk'
import { readCatalogFiles } from '../catalog-file.ts'
import {
  type LocalInstallation,
  localFolder,
  readLocalInstallation,
  writeLocalInstallation,
} from '../local-installation.ts'
import { type Report, runSteps, type Step } from '../output/progress.ts'
import { dim } from '../output/style.ts'
import { loadDemo } from './demo.ts'
import { checkPort } from './ports.ts'
import { fromService } from './service-package.ts'
import { welcome } from './welcome.ts'

const examples = ['cloud-host', 'writing-app'].map((name) =>
  fileURLToPath(new URL(`../../../../examples/${name}/catalog.ts`, import.meta.url)),
)

interface Running {
  close(): Promise<void>
}

/**
 * `lockstep start`: everything in one process, and Postgres beside it. What is configured is used
 * instead: DATABASE_URL for the database, STRIPE_API_KEY for Stripe. Resolves when it is stopped.
 */
export async function start({ demo }: { demo: boolean }): Promise<void> {
  const { readConfig } = await fromService(() => import('@lockstep/service/config'))
  const before = readLocalInstallation()
  const simulated = !process.env.STRIPE_API_KEY && !process.env.STRIPE_API_BASE
  const config = readConfig({
    ...process.env,
    LOCKSTEP_LOG_LEVEL: process.env.LOCKSTEP_LOG_LEVEL ?? 'warn',
  })
  const url = `http://127.0.0.1:${config.port}`
  const simulatorPort = Number(new URL(config.stripe.apiBase).port)
  await checkPort(config.port, 'the service', 'PORT')
  if (simulated) await checkPort(simulatorPort, 'the Stripe simulator', 'STRIPE_SIMULATOR_PORT')

  let installation: LocalInstallation = {
    ...before,
    url,
    apiKey: config.adminKey ?? before?.apiKey ?? newSecret('lk'),
    ...(simulated && {
      simulatorUrl: config.stripe.apiBase,
      webhookSecret: before?.webhookSecret ?? newSecret('whsec'),
    }),
  }
  const remember = (change: Partial<LocalInstallation>) => {
    installation = { ...installation, ...change }
    writeLocalInstallation(installation)
  }
  const client = createClient({ baseUrl: url, apiKey: installation.apiKey })
  const running: Running[] = []
  const stop = stopOnSignal(running)

  const startSimulator = async () => {
    const { startSimulator } = await fromService(() => import('stripe-simulator'))
    const webhooks = [{ url: `${url}/webhooks/stripe`, secret: installation.webhookSecret ?? '' }]
    const stateFile = join(localFolder, 'stripe.json')
    running.unshift(await startSimulator({ port: simulatorPort, stateFile, webhooks }))
    return installation.simulatorUrl
  }
  const startService = async () => {
    const { startService } = await fromService(() => import('@lockstep/service/service'))
    const webhookSecrets = simulated ? [installation.webhookSecret ?? ''] : config.stripe.webhookSecrets
    const stripe = { ...config.stripe, webhookSecrets }
    running.unshift(await startService({ ...config, stripe, adminKey: installation.apiKey }))
    remember({})
    return url
  }
  const applyExamples = async () => {
    const { plans } = await client.catalog.read()
    if (Object.keys(plans).length > 0) return `${Object.keys(plans).length} plans`
    if (demo) remember({ demo: 'loading' })
    const { changes } = await client.catalog.apply(await readCatalogFiles(examples))
    return `${changes.filter(({ kind }) => kind === 'plan').length} plans from examples/`
  }
  const playDemo = async (report: Report) => {
    if (installation.demo === 'loaded') return 'played before'
    const summary = await loadDemo(client, report)
    remember({ demo: 'loaded' })
    return summary
  }

  const steps: Step[] = [{ title: 'Postgres and the service', run: startService }]
  if (simulated) {
    steps.unshift({ title: 'Stripe, simulated', run: startSimulator })
    steps.push({ title: 'Catalogue', run: applyExamples })
    if (demo) steps.push({ title: 'Example customers', run: playDemo })
  }
  try {
    await runSteps(steps)
    console.log(await welcome(client, installation))
    console.log(dim('Ctrl-C stops it; what happened stays, and the next start is quick.'))
  } catch (error) {
    await closeAll(running)
    throw error
  }
  await stop
}

/** Resolves when everything has been stopped in order, after the first Ctrl-C. A second one ends at once. */
function stopOnSignal(running: Running[]): Promise<void> {
  return new Promise((resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(130))
        closeAll(running).then(resolve, reject)
      })
    }
  })
}

/** The service before the simulator: it may still have something to say to it. */
async function closeAll(running: Running[]): Promise<void> {
  for (const part of running.splice(0)) await part.close()
}

function newSecret(prefix: string): string {
  return `${prefix}_${randomBytes(32).toString('base64url')}`
}
