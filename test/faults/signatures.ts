import { createHmac } from 'node:crypto'
import { signedBy } from '@lockstep/service/inbox/signature'
import { type Random, seeded } from '../support/random.ts'

const NOW = 1_800_000_000
const SECRETS = ['whsec_current', 'whsec_retiring']

interface Signed {
  readonly body: Buffer
  readonly header: string
}

function sign(random: Random, secret: string, at = NOW): Signed {
  const body = Buffer.from(
    JSON.stringify({ id: `evt_${random.below(1_000_000)}`, amount: random.below(10_000) }),
  )
  const mac = createHmac('sha256', secret).update(`${at}.`).update(body).digest('hex')
  return { body, header: `t=${at},v1=${mac}` }
}

type Mutation = (signed: Signed, random: Random) => Signed

/** One bit of the bytes that were signed. */
const flipBody: Mutation = ({ body, header }, random) => {
  const changed = Buffer.from(body)
  const at = random.below(changed.length)
  changed[at] = (changed[at] ?? 0) ^ (1 << random.below(8))
  return { body: changed, header }
}

/** One hexadecimal digit of the signature for another. */
const changeDigit: Mutation = ({ body, header }, random) => {
  const at = header.length - 1 - random.below(64)
  const digits = '0123456789abcdef'.replace(header[at] ?? '', '')
  return { body, header: `${header.slice(0, at)}${digits[random.below(15)]}${header.slice(at + 1)}` }
}

const cutHeader: Mutation = ({ body, header }, random) => ({
  body,
  header: header.slice(0, random.below(header.length)),
})

const cutBody: Mutation = ({ body, header }, random) => ({
  body: body.subarray(0, random.below(body.length)),
  header,
})

const growBody: Mutation = ({ body, header }, random) => ({
  body: Buffer.concat([body, Buffer.from([random.below(256)])]),
  header,
})

/** The same JSON in other bytes. */
const spaceBody: Mutation = ({ body, header }) => ({
  body: Buffer.from(JSON.stringify(JSON.parse(body.toString('utf8')), null, 1)),
  header,
})

/** Another time than the one that was signed, though it be within the tolerance. */
const moveTime: Mutation = ({ body, header }, random) => ({
  body,
  header: header.replace(/t=\d+/, `t=${NOW + 1 + random.below(299)}`),
})

const otherSecret: Mutation = (_, random) => sign(random, `whsec_${random.below(1_000_000)}`)

/** Truly signed, too long ago or too far ahead. */
const otherTime: Mutation = (_, random) => {
  const off = 301 + random.below(1_000_000)
  return sign(random, SECRETS[0] ?? '', random.below(2) === 0 ? NOW - off : NOW + off)
}

const otherScheme: Mutation = ({ body, header }, random) => ({
  body,
  header: header.replace('v1=', ['v0=', 'v2=', 'V1=', 'v1 =', '='][random.below(5)] ?? ''),
})

/** One character of the header for any other. */
const garbleHeader: Mutation = ({ body, header }, random) => {
  const at = random.below(header.length)
  const other = String.fromCharCode(33 + random.below(94))
  // The one that was there would change nothing, and a space or a comma may stand at the end.
  const changed = `${header.slice(0, at)}${other === header[at] ? '~' : other}${header.slice(at + 1)}`
  return { body, header: changed }
}

const mutations: readonly Mutation[] = [
  flipBody,
  changeDigit,
  cutHeader,
  cutBody,
  growBody,
  spaceBody,
  moveTime,
  otherSecret,
  otherTime,
  otherScheme,
  garbleHeader,
]

/** Signatures that are true but for one thing, many of each: what of them was accepted all the same. */
export function mutateSignatures({ runs, seed }: { readonly runs: number; readonly seed: number }): string[] {
  const random = seeded(seed)
  const breaches: string[] = []
  for (let run = 0; run < runs; run += 1) {
    const true_ = sign(random, SECRETS[run % 2] ?? '')
    if (signedBy(SECRETS, true_.body, true_.header, NOW) !== run % 2)
      breaches.push(`seed ${seed}: a true signature was refused: ${true_.header}`)
    const mutation = mutations[run % mutations.length]
    if (!mutation) continue
    const { body, header } = mutation(true_, random)
    if (signedBy(SECRETS, body, header, NOW) !== -1)
      breaches.push(`seed ${seed}: accepted after ${mutation.name}: ${header} of ${body.toString('base64')}`)
  }
  return breaches
}
