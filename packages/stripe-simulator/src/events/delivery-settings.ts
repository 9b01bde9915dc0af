import { invalid } from '../errors.ts'

const deliveryModes = ['in_order', 'parallel', 'shuffled', 'duplicated', 'delayed', 'dropped', 'off'] as const
type DeliveryMode = (typeof deliveryModes)[number]

export interface DeliverySettings {
  readonly mode: DeliveryMode
  /** Milliseconds that `delayed` waits before each delivery. */
  readonly delayMs: number
  /** Milliseconds after which an endpoint that does not answer has failed. */
  readonly timeoutMs: number
  /** Milliseconds before each retry; as many retries as there are entries. */
  readonly retryMs: readonly number[]
}

/** Three more tries over a few hours, as in a sandbox. https://docs.stripe.com/webhooks#retries */
export const defaultDelivery: DeliverySettings = {
  mode: 'in_order',
  delayMs: 50,
  timeoutMs: 20_000,
  retryMs: [60_000, 600_000, 3_600_000],
}

/** The settings, if they mean something: a word that nothing knows would change nothing, and nobody would notice. */
export function checkedDelivery(given: Partial<DeliverySettings>): Partial<DeliverySettings> {
  const { mode, delayMs, timeoutMs, retryMs, ...unknown } = given
  const [name] = Object.keys(unknown)
  if (name !== undefined) throw invalid(`Received unknown parameter: ${name}`, name, 'parameter_unknown')
  if (mode !== undefined && !deliveryModes.includes(mode)) {
    throw invalid(`mode must be one of ${deliveryModes.join(', ')}`, 'mode')
  }
  for (const [field, value] of Object.entries({ delayMs, timeoutMs })) {
    if (value !== undefined && !isMillis(value)) throw invalid(`${field} must be a whole number`, field)
  }
  if (retryMs !== undefined && !(Array.isArray(retryMs) && retryMs.every(isMillis))) {
    throw invalid('retryMs must be a list of whole numbers', 'retryMs')
  }
  return given
}

function isMillis(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0
}
