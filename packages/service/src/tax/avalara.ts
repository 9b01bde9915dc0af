import type { Address } from '@lockstep/core/address'
import { Problem } from '@lockstep/core/problem'
import { z } from 'zod'
import { addressRequired } from './address-required.ts'
import type { TaxPort } from './port.ts'

export interface AvalaraSettings {
  /** `https://rest.avatax.com`, or the sandbox's. */
  readonly apiBase: string
  readonly accountId: string
  readonly licenseKey: string
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 10_000

/** Of `AddressResolutionModel` what we use. https://developer.avalara.com/api-reference/avatax/rest/v2/models/AddressResolutionModel/ */
const resolution = z.object({
  resolutionQuality: z.string().optional(),
  taxAuthorities: z.array(z.object({ jurisdictionName: z.string(), jurisdictionType: z.string() })).nullish(),
  messages: z.array(z.object({ summary: z.string(), severity: z.string() })).nullish(),
})

/** Stripe's limit of a metadata value. */
const MOST_CHARACTERS = 500

/**
 * Asks Avalara's AvaTax where the customer is and who taxes there, over plain HTTP. The invoices
 * themselves are taxed by Avalara's own connection to Stripe; what is told here is what it and a
 * bookkeeper find with the customer. https://developer.avalara.com/avatax/address-validation/
 */
export function avalara(settings: AvalaraSettings): TaxPort {
  return {
    provider: 'avalara',
    isAutomatic: false,
    async assess(address) {
      if (address === null) throw addressRequired()
      const answer = await resolve(settings, address)
      const wrong = answer.messages?.find(({ severity }) => severity === 'Error')
      if (wrong) throw addressInvalid(wrong.summary)
      const authorities = (answer.taxAuthorities ?? []).map(
        ({ jurisdictionName, jurisdictionType }) => `${jurisdictionName} (${jurisdictionType})`,
      )
      return {
        provider: 'avalara',
        status: 'assessed',
        metadata: {
          tax_provider: 'avalara',
          tax_quality: answer.resolutionQuality ?? 'NotCoded',
          tax_authorities: authorities.join(', ').slice(0, MOST_CHARACTERS),
        },
      }
    },
  }
}

/**
 * Whether Avalara takes the key. Its ping answers whomever asks, and says whether it knows them.
 * https://developer.avalara.com/api-reference/avatax/rest/v2/methods/Utilities/Ping/
 */
export async function takesKey(settings: AvalaraSettings): Promise<boolean> {
  const response = await ask(settings, '/api/v2/utilities/ping', { method: 'GET' })
  if (response.status === 401 || response.status === 403) return false
  return (await read(response, pinged, 'a ping')).authenticated
}

/** Of `PingResultModel` what we use. */
const pinged = z.object({ authenticated: z.boolean() })

async function resolve(settings: AvalaraSettings, address: Address) {
  const { line1, line2, city, state: region, postalCode, country } = address
  const response = await ask(settings, '/api/v2/addresses/resolve', {
    method: 'POST',
    body: JSON.stringify({ line1, line2, city, region, postalCode, country }),
  })
  // Anything else of ours is in the address: which part of it, Avalara tells nobody but its own log.
  if (response.status === 400) throw addressInvalid('It cannot be resolved.')
  if (response.status === 401 || response.status === 403)
    throw unavailable(
      `answered ${response.status}: it does not take AVALARA_ACCOUNT_ID with AVALARA_LICENSE_KEY`,
    )
  return read(response, resolution, 'a resolution')
}

async function ask(
  { apiBase, accountId, licenseKey, timeoutMs = TIMEOUT_MS }: AvalaraSettings,
  path: string,
  request: RequestInit,
): Promise<Response> {
  const authorization = `Basic ${Buffer.from(`${accountId}:${licenseKey}`).toString('base64')}`
  const headers = { authorization, 'content-type': 'application/json', 'x-avalara-client': 'Lockstep;1;REST' }
  try {
    return await fetch(`${apiBase}${path}`, { ...request, headers, signal: AbortSignal.timeout(timeoutMs) })
  } catch (cause) {
    throw unavailable('did not answer', cause)
  }
}

async function read<T>(response: Response, schema: z.ZodType<T>, what: string): Promise<T> {
  if (!response.ok) throw unavailable(`answered ${response.status}`)
  const answer = schema.safeParse(await response.json().catch(() => undefined))
  if (!answer.success) throw unavailable(`answered something else than ${what}`, answer.error)
  return answer.data
}

function unavailable(how: string, cause?: unknown): Problem {
  return new Problem('tax_unavailable', `The tax provider ${how}.`, { cause })
}

function addressInvalid(reason: string): Problem {
  const detail = `The tax provider does not find the address. ${reason}`
  return new Problem('tax_address_invalid', detail, {
    faults: [{ pointer: '#/address', code: 'tax_address_invalid', detail }],
  })
}
