import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * A double of the two addresses of Avalara's AvaTax that we call, made from its documentation:
 * https://developer.avalara.com/avatax/address-validation/ with the model AddressResolutionModel, and
 * https://developer.avalara.com/api-reference/avatax/rest/v2/methods/Utilities/Ping/ with PingResultModel.
 */
export interface AvalaraDouble {
  readonly url: string
  /** What was asked, oldest first. */
  readonly requests: { readonly authorization: string | undefined; readonly body: Record<string, string> }[]
  /** From now on it fails with this status; null: it answers again. */
  fail(status: number | null): void
  close(): Promise<void>
}

export async function startAvalara(): Promise<AvalaraDouble> {
  const requests: AvalaraDouble['requests'] = []
  let failure: number | null = null
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const isResolve = request.method === 'POST' && request.url === '/api/v2/addresses/resolve'
      const isPing = request.method === 'GET' && request.url === '/api/v2/utilities/ping'
      const status = failure ?? (isResolve || isPing ? 200 : 404)
      const body = isResolve ? JSON.parse(Buffer.concat(chunks).toString('utf8')) : {}
      if (isResolve) requests.push({ authorization: request.headers.authorization, body })
      response.writeHead(status, { 'content-type': 'application/json' })
      const answer = isPing ? pinged(request.headers.authorization) : resolutionOf(body)
      response.end(JSON.stringify(status === 200 ? answer : errorOf(status)))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    fail(status) {
      failure = status
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

/** It answers whoever asks, and says whom it knows: here account 4711 with the key of the tests. */
function pinged(authorization: string | undefined) {
  const authenticated = authorization === `Basic ${Buffer.from('4711:key').toString('base64')}`
  return {
    version: '25.11.0',
    authenticated,
    authenticationType: authenticated ? 'AccountIdLicenseKey' : 'None',
    ...(authenticated && { authenticatedAccountId: 4711 }),
  }
}

/** The worked example of the documentation; an address without a city is not found, as there. */
function resolutionOf(address: Record<string, string>) {
  if (!address.city) {
    const summary = 'The city could not be determined.'
    return {
      address,
      messages: [
        {
          summary,
          details: summary,
          refersTo: 'Address.City',
          severity: 'Error',
          source: 'Avalara.AvaTax.Services.Address',
        },
      ],
    }
  }
  const found = {
    line1: '1000 MAIN ST',
    line2: '',
    line3: '',
    city: 'IRVINE',
    region: 'CA',
    country: 'US',
    postalCode: '92614',
  }
  return {
    address,
    validatedAddresses: [{ ...found, latitude: 33.691385, longitude: -117.867524 }],
    coordinates: { latitude: 33.691385, longitude: -117.867524 },
    resolutionQuality: 'Intersection',
    taxAuthorities: [
      { avalaraId: '267', jurisdictionName: 'ORANGE', jurisdictionType: 'County', signatureCode: 'AHXU' },
      {
        avalaraId: '5000531',
        jurisdictionName: 'CALIFORNIA',
        jurisdictionType: 'State',
        signatureCode: 'AGAM',
      },
    ],
  }
}

function errorOf(status: number) {
  return {
    error: {
      code: status === 401 ? 'AuthenticationException' : 'ServerError',
      message: 'No.',
      target: 'Unknown',
      details: [],
    },
  }
}
