import { randomBytes } from 'node:crypto'
import type { Config } from '@lockstep/service/config'
import { type LocalInstallation, readLocalInstallation } from '../local-installation.ts'
import { fromService } from './service-package.ts'

/** What is to be started here. */
export interface SetUp {
  readonly config: Config
  /** Stripe is the simulator, in this process: neither a key nor an address of Stripe's is configured. */
  readonly simulated: boolean
  readonly simulatorPort: number
  readonly installation: LocalInstallation
}

type Environment = Readonly<Record<string, string | undefined>>

/** From the environment, and from what was started here before; secrets that are missing are made. */
export async function readSetUp(env: Environment): Promise<SetUp> {
  const { readConfig } = await fromService(() => import('@lockstep/service/config'))
  const before = readLocalInstallation()
  const simulated = isSimulated(env)
  const apiKey = env.LOCKSTEP_ADMIN_KEY || before?.apiKey || newSecret('lk')
  const webhookSecret = before?.webhookSecret ?? newSecret('whsec')
  const secret = before?.secret ?? newSecret('ls')
  const config = readConfig({
    ...env,
    LOCKSTEP_SECRETS: env.LOCKSTEP_SECRETS || secret,
    LOCKSTEP_ADMIN_KEY: apiKey,
    LOCKSTEP_LOG_LEVEL: env.LOCKSTEP_LOG_LEVEL || 'warn',
    ...(simulated && { STRIPE_WEBHOOK_SECRET: webhookSecret }),
  })
  const url = `http://127.0.0.1:${config.port}`
  const simulatorUrl = config.stripe.apiBase
  return {
    config,
    simulated,
    simulatorPort: Number(new URL(simulatorUrl).port),
    installation: { ...before, url, apiKey, secret, ...(simulated && { simulatorUrl, webhookSecret }) },
  }
}

/** The environment that `lockstep start` gave the service here, for those who look at it from outside. */
export function localEnvironment(env: Environment): Environment {
  const local = readLocalInstallation()
  if (!local) return env
  const { url, apiKey, simulatorUrl, webhookSecret } = local
  return {
    PORT: new URL(url).port,
    LOCKSTEP_ADMIN_KEY: apiKey,
    ...(simulatorUrl && { STRIPE_SIMULATOR_PORT: new URL(simulatorUrl).port }),
    ...(isSimulated(env) && { STRIPE_WEBHOOK_SECRET: webhookSecret }),
    ...env,
  }
}

function isSimulated({ STRIPE_API_KEY, STRIPE_API_BASE }: Environment): boolean {
  return !STRIPE_API_KEY && !STRIPE_API_BASE
}

function newSecret(prefix: string): string {
  return `${prefix}_${randomBytes(32).toString('base64url')}`
}
