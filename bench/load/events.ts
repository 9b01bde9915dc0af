import { randomUUID } from 'node:crypto'

/** How many customers and meters the load is spread over. */
export const CUSTOMERS = 200
export const METERS = ['compute', 'bandwidth', 'storage', 'requests'] as const

export const customerName = (index: number) => `user_${index}`

/** The fields of one usage event, about 260 bytes as a CloudEvent. */
export interface LoadEvent {
  readonly id: string
  readonly source: string
  readonly customer: number
  readonly meter: string
  /** Seconds since 1970. */
  readonly time: number
  /** In thousandths, so that a sum of many stays an exact number. */
  readonly thousandths: number
  readonly data: { readonly region: string; readonly instance: string; readonly path: string }
}

const regions = ['eu-central-1', 'us-east-1', 'ap-south-1']

/** A new event of the last half hour. Identities never repeat. */
export function newEvent(now: number): LoadEvent {
  const random = Math.random()
  const pick = Math.floor(random * 1e9)
  return {
    id: randomUUID(),
    source: `/app/server-${pick % 7}`,
    customer: pick % CUSTOMERS,
    meter: METERS[Math.floor(random * 1e6) % METERS.length] ?? METERS[0],
    time: now - (pick % 1800),
    thousandths: 1 + (pick % 1_000_000),
    data: { region: regions[pick % 3] ?? '', instance: `web-${pick % 50}`, path: '/v1/items' },
  }
}

export const decimal = (thousandths: number) =>
  `${Math.floor(thousandths / 1000)}.${String(thousandths % 1000).padStart(3, '0')}`

/** As it goes over the wire; text by hand, because the generator must not be what is measured. */
export function cloudEvent({ id, source, customer, meter, time, thousandths, data }: LoadEvent): string {
  return `{"specversion":"1.0","id":"${id}","source":"${source}","type":"${meter}","subject":"${customerName(customer)}","time":"${isoTime(time)}","data":{"quantity":"${decimal(thousandths)}","region":"${data.region}","instance":"${data.instance}","path":"${data.path}"}}`
}

const isoTimes = new Map<number, string>()

function isoTime(time: number): string {
  const known = isoTimes.get(time)
  if (known) return known
  const text = new Date(time * 1000).toISOString()
  isoTimes.set(time, text)
  return text
}
