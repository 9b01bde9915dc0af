import { Problem } from '@lockstep/core/problem'
import type { Config } from '../config.ts'
import { takesKey } from '../tax/avalara.ts'
import { type Check, fine, wrong } from './check.ts'

const PATIENCE_MS = 5000

/** Who is asked about tax, and whether they take our key. */
export async function examineTax({ tax }: Pick<Config, 'tax'>): Promise<Check> {
  if (tax.provider !== 'avalara') return fine('tax', unasked[tax.provider])
  const { whenDown, avalara } = tax
  const who = `Avalara at ${new URL(avalara.apiBase).host}`
  try {
    if (await takesKey({ ...avalara, timeoutMs: PATIENCE_MS })) return fine('tax', `${who} takes the key.`)
    return wrong(
      'tax',
      `${who} does not take AVALARA_ACCOUNT_ID with AVALARA_LICENSE_KEY: ${meanwhile[whenDown]}`,
      'Check both; a key of the sandbox is taken by the sandbox only (AVALARA_API_BASE).',
    )
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return wrong(
      'tax',
      `${who}: ${error.detail} As long as that is so, ${meanwhile[whenDown]}`,
      'Check AVALARA_API_BASE and the connection to it.',
    )
  }
}

const unasked = {
  none: 'Nobody is asked (LOCKSTEP_TAX is none).',
  stripe: 'Stripe computes it on each invoice.',
} as const

const meanwhile = {
  block: 'registrations wait (LOCKSTEP_TAX_WHEN_DOWN is block).',
  untaxed: 'registrations go on untaxed (LOCKSTEP_TAX_WHEN_DOWN is untaxed).',
} as const
