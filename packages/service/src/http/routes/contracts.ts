import * as api from '@lockstep/api/contracts'
import { verifyChain } from '@lockstep/core/contract-chain'
import { Problem } from '@lockstep/core/problem'
import { sha256 } from '../../contract/digest.ts'
import { contractHtml } from '../../contract/html.ts'
import { printed } from '../../contract/printed.ts'
import { documentPdf } from '../../document/pdf.ts'
import type { PrintedDocument } from '../../document/printed.ts'
import type { Db } from '../../postgres/connect.ts'
import { type ContractRow, listContracts, readChain, readContract } from '../../store/contracts.ts'
import { readCustomer } from '../../store/customers.ts'
import { pageOf } from '../../store/page.ts'
import { type App, route } from '../route.ts'
import { contractSummaryToApi, contractToApi } from './contract-to-api.ts'

/** What customers agreed on: listed, read, printed and verified. Nobody writes here: a deed makes one. */
export function contractRoutes(app: App, { db }: { readonly db: Db }): void {
  route(
    app,
    api.listContracts,
  )(async ({ query }) => {
    const page = await pageOf(query.limit, (limit) => listContracts(db, { ...query, limit }))
    return { status: 200, body: { ...page, data: page.data.map(contractSummaryToApi) } }
  })

  route(
    app,
    api.readContract,
  )(async ({ params }) => ({ status: 200, body: contractToApi(await existing(db, params.id)) }))

  route(
    app,
    api.printContract,
  )(async ({ params }) => ({ status: 200, body: contractHtml(await toPrint(db, params.id)) }))

  route(
    app,
    api.downloadContract,
  )(async ({ params }) => ({ status: 200, body: await documentPdf(await toPrint(db, params.id)) }))

  route(
    app,
    api.verifyContracts,
  )(async ({ params }) => {
    const customer = await readCustomer(db, params.id)
    if (!customer) throw new Problem('customer_not_found', `There is no customer ${params.id}.`)
    const links = await readChain(db, customer.id)
    const report = verifyChain(customer.id, links, sha256)
    const erased = links.filter(({ person }) => person === null).length
    const found = { customer: customer.id, contracts: links.length, erased }
    if (report.intact)
      return { status: 200, body: { ...found, intact: true, head: report.head, broken: null } }
    const { contract, sequence, reason } = report
    return {
      status: 200,
      body: { ...found, intact: false, head: null, broken: { contract, sequence, reason } },
    }
  })
}

async function existing(db: Db, id: string): Promise<ContractRow> {
  const contract = await readContract(db, id)
  if (!contract) throw new Problem('contract_not_found', `There is no contract ${id}.`)
  return contract
}

const toPrint = async (db: Db, id: string): Promise<PrintedDocument> => printed(await existing(db, id))
