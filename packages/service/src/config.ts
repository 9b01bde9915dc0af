import { createHash } from 'node:crypto'
import {
  defaultDirections,
  missingPolicies,
  type SyncPolicy,
  syncPolicyFaults,
} from '@lockstep/core/direction'
import { defaultTimeRules, type TimeRules } from '@lockstep/core/usage-rules'
import { z } from 'zod'
import { CannotStart } from './cannot-start.ts'
import { isNetwork } from './outbox/addresses.ts'
import { BURST, type Limits } from './provider/stripe/limiter.ts'
import { readDirections } from './read-directions.ts'
import type { AvalaraSettings } from './tax/avalara.ts'
import { taxProviders, type WhenTaxIsDown } from './tax/port.ts'

export interface StripeConfig {
  readonly apiKey: string
  /** `https://api.stripe.com`, or where the simulator listens. */
  readonly apiBase: string
  readonly livemode: boolean
  /** Every secret a webhook may be signed with: several while one is being replaced. */
  readonly webhookSecrets: readonly string[]
  /** Which way each kind of object goes between here and there. */
  readonly sync: SyncPolicy
  /** Undefined: Stripe's published limits at Stripe, none at a simulator. */
  readonly limits: Limits | undefined
}

export interface BusConfig {
  /** Undefined: what is published goes straight into Postgres. */
  readonly natsUrl: string | undefined
  /** What the service that owns profiles tells of a new one under. */
  readonly profileSubject: string
}

/** Whose tokens users come with. */
export interface JwtConfig {
  readonly issuer: string
  readonly audience: string
  /** Where the issuer publishes the keys it signs with. */
  readonly jwksUrl: string
}

export type Role = 'api' | 'worker'

/** Who knows the tax, and what happens while they cannot be asked. */
export type TaxConfig = { readonly whenDown: WhenTaxIsDown } & (
  | { readonly provider: 'none' | 'stripe' }
  | { readonly provider: 'avalara'; readonly avalara: AvalaraSettings }
)

export interface Config {
  /** Undefined: the embedded Postgres under `dataDirectory`. */
  readonly databaseUrl: string | undefined
  readonly databasePoolSize: number
  readonly dataDirectory: string
  readonly stripe: StripeConfig
  readonly bus: BusConfig
  readonly tax: TaxConfig
  readonly host: string
  readonly port: number
  readonly roles: readonly Role[]
  readonly adminKey: string | undefined
  /** Undefined: users are not let in, only keys are. */
  readonly jwt: JwtConfig | undefined
  /** The first signs and seals, any verifies and opens. Never empty. */
  readonly secrets: readonly string[]
  /** When invoices are synchronised, in UTC: minute, hour, day, month, day of the week. */
  readonly syncCron: string
  /** What times usage may have. */
  readonly usageTimes: TimeRules
  /** Usage events that may wait to be written; what comes beyond is turned away. */
  readonly usageQueue: number
  /** Raw usage events are kept for so many whole months before the one that runs; null for ever. */
  readonly usageRetentionMonths: number | null
  /** Networks beside the open internet that webhooks may be sent to: `10.1.0.0/16`. */
  readonly webhookNetworks: readonly string[]
  readonly logLevel: LogLevel
}

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
type LogLevel = (typeof logLevels)[number]

export const STRIPE_API_BASE = 'https://api.stripe.com'

/** What is wrong with the environment: every variable at once, each with its remedy. */
export class ConfigurationInvalid extends CannotStart {
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    const list = faults.map((fault) => `  - ${fault}`).join('\n')
    super(
      `The configuration is not valid:\n${list}`,
      'Correct the environment variables above and start again.',
    )
    this.name = 'ConfigurationInvalid'
    this.faults = faults
  }
}

/** A variable that is set but empty counts as not set: that is what `X= lockstep start` means. */
const given = <T extends z.ZodType>(schema: T) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema)

const port = (standard: number) =>
  given(
    z.coerce
      .number('must be a number')
      .int('must be a whole number')
      .min(0, 'must be 0 to 65535')
      .max(65_535, 'must be 0 to 65535')
      .default(standard),
  )

/** A year may still be corrected, and the month that runs is not counted among them. */
const DEFAULT_RETENTION_MONTHS = '13'

const wholeNumber = ({ min, max }: { min: number; max: number }) => {
  const range = `must be ${min} to ${max}`
  return z.coerce.number('must be a number').int('must be a whole number').min(min, range).max(max, range)
}

const list = (text: string) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)

/** Plain HTTP only within this machine, where no one is in between. */
function isSafeKeyAddress(address: string): boolean {
  const url = URL.parse(address)
  return url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname))
}

/** Five fields, each numbers, ranges, lists and steps. */
const CRON = /^(?:\*|\d+)(?:[-/,]\d+)*(?:\s+(?:\*|\d+)(?:[-/,]\d+)*){4}$/

const environment = z.object({
  DATABASE_URL: given(
    z
      .string()
      .refine(
        (url) => /^postgres(ql)?:$/.test(URL.parse(url)?.protocol ?? ''),
        'must be an address like postgres://user:password@host:5432/name',
      )
      .optional(),
  ),
  LOCKSTEP_DATABASE_POOL: given(
    z.coerce
      .number('must be a number')
      .int()
      .min(2, 'must be at least 2')
      .max(500, 'must be at most 500')
      .default(20),
  ),
  LOCKSTEP_DATA: given(z.string().default('.lockstep')),
  STRIPE_API_KEY: given(
    z
      .string()
      .refine((key) => !key.startsWith('pk_'), 'is a publishable key; take the secret key (sk_… or rk_…)')
      .refine(
        (key) => key.startsWith('pk_') || /^(sk|rk)_(test|live)_\w+$/.test(key),
        'must be a secret or restricted key of Stripe: sk_test_…, sk_live_…, rk_test_… or rk_live_…',
      )
      .optional(),
  ),
  STRIPE_API_BASE: given(
    z
      .string()
      .refine(
        (url) =>
          /^https?:$/.test(URL.parse(url)?.protocol ?? '') && /^\/?$/.test(URL.parse(url)?.pathname ?? ''),
        'must be an address without a path, like http://127.0.0.1:12111',
      )
      .optional(),
  ),
  STRIPE_SIMULATOR_PORT: port(12_111),
  STRIPE_WEBHOOK_SECRET: given(
    z
      .string()
      .default('')
      .transform(list)
      .refine(
        (secrets) => secrets.every((secret) => /^whsec_\S+$/.test(secret)),
        'must be signing secrets (whsec_…), several of them separated by commas',
      ),
  ),
  LOCKSTEP_DIRECTIONS: given(
    z
      .string()
      .default('')
      .transform((text, context) => {
        const { faults, directions } = readDirections(text)
        if (faults.length > 0) context.addIssue({ code: 'custom', message: faults.join('; '), input: text })
        return directions
      }),
  ),
  LOCKSTEP_MISSING_CUSTOMER: given(z.enum(missingPolicies, 'must be create or park').default('park')),
  LOCKSTEP_MISSING_PLAN: given(z.enum(missingPolicies, 'must be create or park').default('park')),
  LOCKSTEP_TAX: given(z.enum(taxProviders, `must be one of ${taxProviders.join(', ')}`).default('none')),
  LOCKSTEP_TAX_WHEN_DOWN: given(z.enum(['block', 'untaxed'], 'must be block or untaxed').default('block')),
  AVALARA_API_BASE: given(
    z
      .string()
      .refine((url) => /^https?:$/.test(URL.parse(url)?.protocol ?? ''), 'must be an address')
      .default('https://rest.avatax.com'),
  ),
  AVALARA_ACCOUNT_ID: given(z.string().optional()),
  AVALARA_LICENSE_KEY: given(z.string().optional()),
  NATS_URL: given(
    z
      .string()
      .refine(
        (url) => /^(nats|tls):$/.test(URL.parse(url)?.protocol ?? '') && URL.parse(url)?.host !== '',
        'must be an address like nats://user:password@host:4222',
      )
      .optional(),
  ),
  LOCKSTEP_PROFILE_SUBJECT: given(
    z
      .string()
      .regex(
        /^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/,
        'must be a subject without wildcards, like auth.profile.created',
      )
      .default('auth.profile.created'),
  ),
  PORT: port(4000),
  LOCKSTEP_HOST: given(z.string().optional()),
  LOCKSTEP_ROLES: given(
    z
      .string()
      .default('api,worker')
      .transform(list)
      .pipe(
        z
          .array(z.enum(['api', 'worker'], 'may name api and worker only'))
          .min(1, 'must name api, worker or both'),
      ),
  ),
  LOCKSTEP_ADMIN_KEY: given(z.string().min(32, 'must have at least 32 characters').optional()),
  LOCKSTEP_JWT_ISSUER: given(z.string().optional()),
  LOCKSTEP_JWT_AUDIENCE: given(z.string().optional()),
  LOCKSTEP_JWT_JWKS_URL: given(
    z
      .string()
      .refine(isSafeKeyAddress, 'must be an https address: whoever could change the keys could be any user')
      .optional(),
  ),
  LOCKSTEP_SECRETS: given(
    z
      .string()
      .default('')
      .transform(list)
      .refine(
        (secrets) => secrets.every((secret) => secret.length >= 32),
        'must be secrets of at least 32 characters, several of them separated by commas, the newest first',
      ),
  ),
  LOCKSTEP_STRIPE_RATE: given(
    z
      .string()
      .regex(/^[1-9]\d{0,3},[1-9]\d{0,3}$/, 'must be two numbers of requests a second, like 80,20')
      .optional(),
  ),
  LOCKSTEP_SYNC_CRON: given(
    z
      .string()
      .default('0 * * * *')
      .refine((cron) => CRON.test(cron.trim()), 'must have five fields, like 0 * * * *'),
  ),
  LOCKSTEP_USAGE_AHEAD_SECONDS: given(
    wholeNumber({ min: 0, max: 86_400 }).default(defaultTimeRules.aheadSeconds),
  ),
  LOCKSTEP_USAGE_LATE_DAYS: given(wholeNumber({ min: 1, max: 36_500 }).optional()),
  LOCKSTEP_USAGE_QUEUE: given(wholeNumber({ min: 1000, max: 1_000_000 }).default(20_000)),
  LOCKSTEP_USAGE_RETENTION_MONTHS: given(
    z
      .string()
      .regex(/^(all|[1-9]\d{0,2}|1[01]\d{2}|1200)$/, 'must be a number of months from 1 to 1200, or all')
      .default(DEFAULT_RETENTION_MONTHS)
      .transform((months) => (months === 'all' ? null : Number(months))),
  ),
  LOCKSTEP_WEBHOOK_NETWORKS: given(
    z
      .string()
      .transform(list)
      .refine(
        (networks) => networks.every(isNetwork),
        'must be networks like 10.1.0.0/16, several of them separated by commas',
      )
      .optional(),
  ),
  LOCKSTEP_LOG_LEVEL: given(z.enum(logLevels, `must be one of ${logLevels.join(', ')}`).default('info')),
})

type Environment = z.output<typeof environment>

/** Reads the environment, or throws {@link ConfigurationInvalid} with everything that is wrong with it. */
export function readConfig(env: Record<string, string | undefined>): Config {
  const parsed = environment.safeParse(env)
  const wrong = new Map(parsed.error?.issues.map(({ path, message }) => [String(path[0]), message]))
  // What is wrong alone must not hide what is wrong together: the rest is read without it.
  const rest = Object.fromEntries(Object.entries(env).filter(([name]) => !wrong.has(name)))
  const config = assemble(parsed.data ?? environment.parse(rest))
  const faults = [
    ...[...wrong].map(([name, message]) => `${name} ${message}.`),
    ...[...contradictions(config)].filter(
      (fault) => ![...wrong.keys()].some((name) => fault.startsWith(name)),
    ),
  ]
  if (faults.length > 0) throw new ConfigurationInvalid(faults)
  return config
}

function assemble(read: Environment): Config {
  // With a key, Stripe; without one, the simulator, which takes any test key.
  const simulator = `http://127.0.0.1:${read.STRIPE_SIMULATOR_PORT}`
  const apiBase = read.STRIPE_API_BASE ?? (read.STRIPE_API_KEY ? STRIPE_API_BASE : simulator)
  const apiKey =
    read.STRIPE_API_KEY ?? (new URL(apiBase).origin === STRIPE_API_BASE ? '' : 'sk_test_simulator')
  return {
    databaseUrl: read.DATABASE_URL,
    databasePoolSize: read.LOCKSTEP_DATABASE_POOL,
    dataDirectory: read.LOCKSTEP_DATA,
    stripe: {
      apiKey,
      apiBase: new URL(apiBase).origin,
      livemode: isLive(apiKey),
      webhookSecrets: read.STRIPE_WEBHOOK_SECRET,
      sync: {
        directions: { ...defaultDirections, ...read.LOCKSTEP_DIRECTIONS },
        missingCustomer: read.LOCKSTEP_MISSING_CUSTOMER,
        missingPlan: read.LOCKSTEP_MISSING_PLAN,
      },
      limits: read.LOCKSTEP_STRIPE_RATE === undefined ? undefined : limitsFrom(read.LOCKSTEP_STRIPE_RATE),
    },
    tax: taxOf(read),
    bus: { natsUrl: read.NATS_URL, profileSubject: read.LOCKSTEP_PROFILE_SUBJECT },
    host: read.LOCKSTEP_HOST ?? (read.DATABASE_URL ? '0.0.0.0' : '127.0.0.1'),
    port: read.PORT,
    roles: read.LOCKSTEP_ROLES,
    adminKey: read.LOCKSTEP_ADMIN_KEY,
    jwt: jwtOf(read),
    secrets: secretsOf(read, apiKey),
    syncCron: read.LOCKSTEP_SYNC_CRON.trim(),
    usageTimes: {
      aheadSeconds: read.LOCKSTEP_USAGE_AHEAD_SECONDS,
      lateDays: read.LOCKSTEP_USAGE_LATE_DAYS ?? null,
    },
    usageQueue: read.LOCKSTEP_USAGE_QUEUE,
    usageRetentionMonths: read.LOCKSTEP_USAGE_RETENTION_MONTHS,
    // On one's own machine, with the embedded database, the application listens there too.
    webhookNetworks: read.LOCKSTEP_WEBHOOK_NETWORKS ?? (read.DATABASE_URL ? [] : LOOPBACK),
    logLevel: read.LOCKSTEP_LOG_LEVEL,
  }
}

/** `80,20`: requests a second in all, and for one endpoint. */
function limitsFrom(rate: string): Limits {
  const [account = 0, endpoint = 0] = rate.split(',').map(Number)
  return { account, endpoint, burst: BURST }
}

/** Anything of it said, all of it is meant: what then is missing is told below. */
function jwtOf(read: Environment): JwtConfig | undefined {
  const { LOCKSTEP_JWT_ISSUER: issuer, LOCKSTEP_JWT_AUDIENCE: audience, LOCKSTEP_JWT_JWKS_URL: url } = read
  if (issuer === undefined && audience === undefined && url === undefined) return undefined
  // Where nothing else is said, issuers publish it there (OpenID Connect Discovery names it as jwks_uri).
  const wellKnown = `${(issuer ?? '').replace(/\/$/, '')}/.well-known/jwks.json`
  return { issuer: issuer ?? '', audience: audience ?? '', jwksUrl: url ?? wellKnown }
}

/**
 * In test mode, unless given, made of Stripe's key, which every process of the installation has. Not of a
 * live one: when that is replaced, what was sealed for good, such as the secrets of webhook endpoints,
 * could not be opened any more.
 */
function secretsOf(read: Environment, apiKey: string): readonly string[] {
  if (read.LOCKSTEP_SECRETS.length > 0 || isLive(apiKey)) return read.LOCKSTEP_SECRETS
  return [createHash('sha256').update(`lockstep secret of ${apiKey}`).digest('hex')]
}

function taxOf(read: Environment): TaxConfig {
  const { LOCKSTEP_TAX: provider, LOCKSTEP_TAX_WHEN_DOWN: whenDown } = read
  if (provider !== 'avalara') return { provider, whenDown }
  const avalara = {
    apiBase: new URL(read.AVALARA_API_BASE).origin,
    accountId: read.AVALARA_ACCOUNT_ID ?? '',
    licenseKey: read.AVALARA_LICENSE_KEY ?? '',
  }
  return { provider, whenDown, avalara }
}

const isLive = (apiKey: string): boolean => /^(sk|rk)_live_/.test(apiKey)

const LOOPBACK = ['127.0.0.0/8', '::1/128']

export const isLoopback = (host: string): boolean => ['127.0.0.1', '::1', 'localhost'].includes(host)

/** Values that are right alone but not together. */
function* contradictions({ stripe, tax, databaseUrl, host, jwt, secrets }: Config): Generator<string> {
  const { apiKey, apiBase, livemode, sync } = stripe
  for (const fault of syncPolicyFaults(sync)) yield `LOCKSTEP_DIRECTIONS do not hold together: ${fault}`
  if (tax.provider === 'avalara' && (tax.avalara.accountId === '' || tax.avalara.licenseKey === ''))
    yield 'LOCKSTEP_TAX is avalara: set AVALARA_ACCOUNT_ID and AVALARA_LICENSE_KEY.'
  if (apiBase === STRIPE_API_BASE && apiKey === '') {
    yield 'STRIPE_API_KEY is missing: STRIPE_API_BASE names Stripe. Set the key, or leave both out to use the simulator.'
  }
  if (livemode && apiBase !== STRIPE_API_BASE) {
    yield `STRIPE_API_KEY is a live key, but STRIPE_API_BASE is ${apiBase}: a live key is sent to ${STRIPE_API_BASE} only. Use a test key here, or leave STRIPE_API_BASE out.`
  }
  if (jwt?.issuer === '') yield 'LOCKSTEP_JWT_ISSUER is missing: it is the iss of every token of a user.'
  if (jwt?.audience === '')
    yield 'LOCKSTEP_JWT_AUDIENCE is missing: without it a token for any other service would do.'
  if (jwt && jwt.issuer !== '' && !isSafeKeyAddress(jwt.jwksUrl))
    yield `LOCKSTEP_JWT_JWKS_URL is missing: ${jwt.jwksUrl} is no https address.`
  if (databaseUrl === undefined && livemode) {
    yield 'DATABASE_URL is missing: a live key needs a Postgres of your own, the embedded one is for one machine.'
  }
  if (secrets.length === 0) {
    yield 'LOCKSTEP_SECRETS is missing: a live key needs a secret of its own beside it. `openssl rand -hex 32` makes one; keep it.'
  }
  if (databaseUrl === undefined && !isLoopback(host)) {
    yield `LOCKSTEP_HOST is ${host}: with the embedded database only this machine may connect. Use 127.0.0.1, or set DATABASE_URL.`
  }
}
