import { invalid } from '../errors.ts'

/** What can go wrong with a request, with an attempt to charge, and with the delivery of an event. */
const FAULTS = {
  request: [
    'error_500',
    'error_500_stored',
    'rate_limit',
    'lock_timeout',
    'timeout_before_commit',
    'timeout_after_commit',
    'truncated',
    'slow',
  ],
  charge: ['decline', 'challenge'],
  delivery: ['webhook_lost', 'webhook_late', 'webhook_doubled', 'webhook_shuffled'],
} as const

export type FaultTarget = keyof typeof FAULTS
export type FaultKind = (typeof FAULTS)[FaultTarget][number]

/** What shall go wrong, with what, and how often. */
export interface Fault {
  readonly kind: FaultKind
  /** Absent matches every method. */
  readonly method?: string | undefined
  /**
   * A path, `*` standing for any text: `/v1/invoices/*`. Of a request, of the request that charges, or of the
   * endpoint that is delivered to. Absent matches every path, and what time causes without a request.
   */
  readonly path?: string | undefined
  /** Of deliveries: the type of the event, `*` standing for any text: `invoice.*`. */
  readonly event?: string | undefined
  /** How often it goes wrong; once unless told, and without end where a probability is given. */
  readonly times?: number | undefined
  /** How many that match pass before the first failure. */
  readonly skip?: number | undefined
  /** Milliseconds that `slow` waits before the request runs, and `webhook_late` before the event is sent. */
  readonly ms?: number | undefined
  /** Of `decline`: why. `generic_decline` unless told. */
  readonly decline_code?: string | undefined
  /** Above 0 and at most 1: each one that matches goes wrong with this probability. Certain unless told. */
  readonly probability?: number | undefined
  /** Makes the same ones go wrong again; drawn from the simulator's own seed unless told. */
  readonly seed?: number | undefined
}

const FIELDS: Readonly<Record<string, 'text' | 'count' | 'number'>> = {
  kind: 'text',
  method: 'text',
  path: 'text',
  event: 'text',
  times: 'count',
  skip: 'count',
  ms: 'count',
  decline_code: 'text',
  probability: 'number',
  seed: 'count',
}

/** Which fields mean nothing to a target: given all the same they would seem to. */
const FOREIGN: Readonly<Record<FaultTarget, readonly string[]>> = {
  request: ['event', 'decline_code'],
  charge: ['method', 'event', 'ms'],
  delivery: ['method', 'decline_code'],
}

export function targetOf(kind: FaultKind): FaultTarget {
  const targets = Object.keys(FAULTS) as FaultTarget[]
  return targets.find((target) => (FAULTS[target] as readonly string[]).includes(kind)) ?? 'request'
}

/** A fault as it was sent, or a refusal that names what is wrong with it. */
export function faultOf(given: unknown): Fault {
  if (typeof given !== 'object' || given === null) throw invalid('A fault is an object with a kind.')
  for (const [name, value] of Object.entries(given)) {
    if (value !== undefined) checkField(name, value)
  }
  const fault = given as Fault
  const kinds = Object.values(FAULTS).flat() as readonly string[]
  if (!kinds.includes(fault.kind)) throw invalid(`kind must be one of ${kinds.join(', ')}`, 'kind')
  const foreign = FOREIGN[targetOf(fault.kind)].find((name) => fault[name as keyof Fault] !== undefined)
  if (foreign !== undefined) throw invalid(`${foreign} means nothing to ${fault.kind}`, foreign)
  const { probability, times } = fault
  if (probability !== undefined && !(probability > 0 && probability <= 1)) {
    throw invalid('probability must be above 0 and at most 1', 'probability')
  }
  if (times === 0) throw invalid('times must be at least 1', 'times')
  return fault
}

function checkField(name: string, value: unknown): void {
  const kind = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined
  if (kind === undefined) throw invalid(`Received unknown parameter: ${name}`, name, 'parameter_unknown')
  const right =
    kind === 'text'
      ? typeof value === 'string'
      : typeof value === 'number' && (kind === 'number' || (Number.isInteger(value) && value >= 0))
  if (!right) throw invalid(`${name} must be a ${kind === 'count' ? 'whole number' : kind}`, name)
}
