import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { createClient } from '@lockstep/sdk'
import { readCatalogFiles } from '../catalog-file.ts'
import { type LocalInstallation, localFolder, writeLocalInstallation } from '../local-installation.ts'
import { type Report, runSteps, type Step } from '../output/progress.ts'
import { dim } from '../output/style.ts'
import { loadDemo } from './demo.ts'
import { lockFolder } from './folder-lock.ts'
import { checkPort } from './ports.ts'
import { Running } from './running.ts'
import { fromService } from './service-package.ts'
import { readSetUp, type SetUp } from './set-up.ts'
import { welcome } from './welcome.ts'

const examples = ['cloud-host', 'writing-app'].map((name) =>
  fileURLToPath(new URL(`../../../../examples/${name}/catalog.ts`, import.meta.url)),
)

/**
 * `lockstep start`: everything in one process, and Postgres beside it. What is configured is used
 * instead: DATABASE_URL for the database, STRIPE_API_KEY for Stripe. Resolves when it is stopped.
 */
export async function start({ demo }: { demo: boolean }): Promise<void> {
  // Service and simulator share one process on somebody's own machine. V8 lets the room for young
  // objects grow with the work of the first start and keeps it; held small, 300 MB become 200.
  setFlagsFromString('--semi-space-growth-factor=1')
  const setUp = await readSetUp(process.env)
  const { config, simulated, simulatorPort, installation } = setUp
  const lock = lockFolder(localFolder, installation.url, {
    PORT: config.port,
    ...(simulated && { STRIPE_SIMULATOR_PORT: simulatorPort }),
  })
  await checkPort(config.port, 'the service', 'PORT')
  if (simulated) await checkPort(simulatorPort, 'the Stripe simulator', 'STRIPE_SIMULATOR_PORT')

  const starter = new Starter(setUp)
  starter.running.add(lock)
  const steps: Step[] = [{ title: 'Postgres and the service', run: () => starter.startService() }]
  if (simulated) {
    steps.unshift({ title: 'Stripe, simulated', run: () => starter.startSimulator() })
    steps.push({ title: 'Catalogue', run: () => starter.applyExamples({ demo }) })
    if (demo) steps.push({ title: 'Example customers', run: (report) => starter.playDemo(report) })
  }
  await starter.run(steps)
  await starter.running.stopped
}

class Starter {
  readonly running = new Running()
  readonly #setUp: SetUp
  readonly #client: ReturnType<typeof createClient>
  #installation: LocalInstallation

  constructor(setUp: SetUp) {
    this.#setUp = setUp
    this.#installation = setUp.installation
    const { url, apiKey } = setUp.installation
    this.#client = createClient({ baseUrl: url, apiKey })
  }

  async run(steps: readonly Step[]): Promise<void> {
    try {
      await runSteps(steps)
      console.log(await welcome(this.#client, this.#installation))
      console.log(dim('Ctrl-C stops it; what happened stays, and the next start is quick.'))
    } catch (error) {
      await this.running.close()
      if (!this.running.interrupted) throw error
    }
  }

  async startSimulator(): Promise<string | undefined> {
    const { startSimulator } = await fromService(() => import('stripe-simulator'))
    const { url, webhookSecret = '', simulatorUrl } = this.#installation
    const port = this.#setUp.simulatorPort
    const stateFile = join(localFolder, 'stripe.json')
    const webhooks = [{ url: `${url}/webhooks/stripe`, secret: webhookSecret }]
    this.running.add(await startSimulator({ port, stateFile, webhooks }))
    return simulatorUrl
  }

  async startService(): Promise<string> {
    const { startService } = await fromService(() => import('@lockstep/service/service'))
    const service = await startService(this.#setUp.config)
    this.running.add(service)
    void service.databaseGone.then((error) => this.running.fail(error))
    this.#remember({})
    return this.#installation.url
  }

  /** On the very first start; later it is the user's catalogue. */
  async applyExamples({ demo }: { demo: boolean }): Promise<string> {
    const { plans } = await this.#client.catalog.read()
    const count = Object.keys(plans).length
    if (count > 0) return `${count} plans`
    if (demo) this.#remember({ demo: 'loading' })
    const document = await readCatalogFiles(examples)
    await this.#client.catalog.apply(document)
    return `${Object.keys(document.plans).length} plans from examples/`
  }

  async playDemo(report: Report): Promise<string> {
    const { demo } = this.#installation
    if (demo !== 'loading') return demo === 'loaded' ? 'played before' : 'left out, the catalogue is yours'
    const summary = await loadDemo(this.#client, report, {
      isTaxed: this.#setUp.config.tax.provider !== 'none',
    })
    this.#remember({ demo: 'loaded' })
    return summary
  }

  #remember(change: Partial<LocalInstallation>): void {
    this.#installation = { ...this.#installation, ...change }
    writeLocalInstallation(this.#installation)
  }
}
