import { defaultSyncPolicy, type SyncPolicy } from '@lockstep/core/direction'
import type { Pool } from 'pg'
import type Stripe from 'stripe'
import { CannotStart } from '../../cannot-start.ts'
import type { Db } from '../../postgres/connect.ts'
import { isLiveKey, isStripeItself, makeStripe, type StripeAccess } from './client.ts'
import { type Limits, limitsOf, makeLimiter } from './limiter.ts'
import { type Pace, realPace } from './pace.ts'

/** One Stripe account in one mode, and who we are there. */
export interface Provider {
  readonly stripe: Stripe
  /** The random name of this installation. Objects that carry another one are not ours to touch. */
  readonly instance: string
  readonly account: string
  readonly livemode: boolean
  readonly pace: Pace
  /** Which way each kind of object goes between here and there. */
  readonly sync: SyncPolicy
}

export interface ProviderSettings extends StripeAccess {
  /** Stripe's published limits unless given; `null` for none, which is what a simulator has. */
  readonly limits?: Limits | null | undefined
  readonly pace?: Pace | undefined
  readonly timeoutMs?: number | undefined
  readonly sync?: SyncPolicy | undefined
}

/** Every simulator is one account: it is not asked, so that the service starts without it. */
const SIMULATED_ACCOUNT = 'acct_simulated'

/**
 * Opens the account that belongs to this database. The first one to be opened is written down; a key
 * of another account or mode is refused from then on, because its ids would be mixed with these.
 */
export async function openProvider(
  { db, pool }: { db: Db; pool: Pool },
  settings: ProviderSettings,
): Promise<Provider> {
  const { apiKey, apiBase, pace = realPace, sync = defaultSyncPolicy } = settings
  const livemode = isLiveKey(apiKey)
  const limits =
    settings.limits === undefined ? (isStripeItself(apiBase) ? limitsOf(livemode) : null) : settings.limits
  const limiter = limits === null ? undefined : makeLimiter(pool, pace, 'stripe', limits)
  const stripe = makeStripe({ apiKey, apiBase }, { limiter, timeoutMs: settings.timeoutMs })

  const known = await db.selectFrom('installation').selectAll().executeTakeFirstOrThrow()
  if (known.livemode !== null && known.livemode !== livemode) throw otherMode(livemode)
  const account = isStripeItself(apiBase)
    ? await ownAccount(stripe, known.providerAccount)
    : SIMULATED_ACCOUNT
  if (known.providerAccount !== null && known.providerAccount !== account) {
    throw otherAccount(known.providerAccount, account)
  }
  await db.updateTable('installation').set({ livemode, providerAccount: account }).execute()
  return { stripe, instance: known.instance, account, livemode, pace, sync }
}

/** Stripe being away does not keep a known installation from starting. */
async function ownAccount(stripe: Stripe, known: string | null): Promise<string> {
  try {
    return (await stripe.accounts.retrieveCurrent()).id
  } catch (error) {
    if (known !== null) return known
    throw new CannotStart(
      'Stripe cannot be asked whose account STRIPE_API_KEY belongs to.',
      'Check the key and the connection to api.stripe.com.',
      { cause: error },
    )
  }
}

function otherMode(livemode: boolean): CannotStart {
  const [key, data] = livemode ? ['live', 'test'] : ['test', 'live']
  return new CannotStart(
    `STRIPE_API_KEY is a ${key} key, but this database holds ${data} data.`,
    'Use the key that belongs to this database, or another database for this key.',
  )
}

function otherAccount(known: string, account: string): CannotStart {
  return new CannotStart(
    `This database belongs to Stripe account ${known}, but STRIPE_API_KEY is for ${account}.`,
    'Use the key that belongs to this database, or another database for this key.',
  )
}
