import type { Instant } from '@lockstep/core/instant'
import { withoutPersonalData } from '@lockstep/core/personal-data'
import { sql } from 'kysely'
import type { Db, Trx } from '../postgres/connect.ts'
import { sqlTime } from './time.ts'

/** What stands against erasing a customer now. */
export interface Obstacles {
  readonly liveSubscriptions: readonly string[]
  /** Registrations that are neither completed nor undone: a person may still go on with a parked one. */
  readonly registrations: number
  readonly unfinishedInvoices: number
}

export async function obstaclesOf(trx: Trx, customerId: string): Promise<Obstacles> {
  const { rows } = await sql<Obstacles>`
    select array(select id from subscription where customer_id = ${customerId}
                   and status not in ('canceled', 'incomplete_expired') order by id) as live_subscriptions,
           (select count(*)::int4 from registration r join workflow w on w.id = r.workflow_id
             where r.customer_id = ${customerId} and w.state not in ('completed', 'rolledBack')) as registrations,
           (select count(*)::int4 from invoice where customer_id = ${customerId}
               and status in ('current', 'closing', 'draft')) as unfinished_invoices`.execute(trx)
  const [found] = rows
  if (!found) throw new Error('A query without a table answers one row.')
  return found
}

/** How much of what there is, of what is erased and of what stays. */
export interface PersonalData {
  readonly profiles: number
  readonly acceptances: number
  readonly requests: number
  readonly providerRows: number
  readonly contracts: number
  readonly invoices: number
}

export async function countPersonalData(trx: Trx, customerId: string): Promise<PersonalData> {
  const { rows } = await sql<Omit<PersonalData, 'providerRows'>>`
    select (select count(*)::int4 from customer_profile where customer_id = ${customerId}) as profiles,
           (select count(*)::int4 from contract_acceptance
             where customer_id = ${customerId} and person is not null) as acceptances,
           (select count(*)::int4 from registration r join workflow w on w.id = r.workflow_id
             where r.customer_id = ${customerId} and w.input ?| array['requestHash', 'metadata'])
         + (select count(*)::int4 from plan_change c join workflow w on w.id = c.workflow_id
             where c.customer_id = ${customerId} and w.input ? 'profile')
         + (select count(*)::int4 from bus_message where ${isMessageOf(customerId)}) as requests,
           (select count(*)::int4 from contract where customer_id = ${customerId}) as contracts,
           (select count(*)::int4 from invoice where customer_id = ${customerId}) as invoices`.execute(trx)
  const [found] = rows
  if (!found) throw new Error('A query without a table answers one row.')
  const { events, objects } = await providerRows(trx, customerId)
  return { ...found, providerRows: changedOf(events).length + changedOf(objects).length }
}

/**
 * Erases who a customer is. Contracts keep the digests, whose salt goes with the person; digests of what
 * was asked and sent go too, because they have no salt.
 */
export async function erasePersonalData(trx: Trx, customerId: string, at: Instant): Promise<void> {
  await sql`delete from customer_profile where customer_id = ${customerId}`.execute(trx)
  await sql`
    update contract_acceptance set person = null, erased_at = ${sqlTime(at)}
     where customer_id = ${customerId} and person is not null`.execute(trx)
  await sql`
    update workflow w set input = w.input - 'requestHash' - 'metadata'
      from registration r where r.workflow_id = w.id and r.customer_id = ${customerId}`.execute(trx)
  await sql`
    update workflow w set input = w.input - 'profile'
      from plan_change c where c.workflow_id = w.id and c.customer_id = ${customerId}`.execute(trx)
  await sql`update plan_change set request_hash = '' where customer_id = ${customerId}`.execute(trx)
  await sql`
    update operation set body_hash = ''
     where settled_at is not null and subject_id in (
       select ${customerId} union all
       select unnest(array[id, subscription_id, workflow_id]) from registration where customer_id = ${customerId}
       union all
       select unnest(array[id, workflow_id]) from plan_change where customer_id = ${customerId})`.execute(trx)
  // What was written about a customer for the records; what the customer read stands on the invoices.
  await sql`
    update adjustment set reason = 'erased',
       withdrawal_reason = case when withdrawal_reason is not null then 'erased' end
     where customer_id = ${customerId}`.execute(trx)
  for (const table of ['price_override', 'usage_correction', 'refund_acknowledgement'])
    await sql`update ${sql.table(table)} set reason = 'erased', agent = null where customer_id = ${customerId}`.execute(
      trx,
    )
  // Whoever was to be registered by it has been forgotten instead.
  await sql`
    update bus_message set state = 'processed', outcome = 'erased', content = null, problem = null,
       processed_at = coalesce(processed_at, ${sqlTime(at)})
     where ${isMessageOf(customerId)}`.execute(trx)
  // What the application was told of it stays, without who it was.
  await sql`
    update outgoing_event set data = data || '{"name": null, "email": null}'
     where customer_id = ${customerId} and subject_id = customer_id`.execute(trx)
  await eraseProviderRows(trx, customerId)
}

/** A profile that a message brought and that was not used yet, or could not be. */
const isMessageOf = (customerId: string) => sql`
  content is not null and content ->> 'externalId' = (select external_id from customer where id = ${customerId})`

/** What leads to a page or a document of the provider's that shows who pays, as the API calls it. */
const LINKS = ['action', 'hostedInvoiceUrl', 'invoicePdf', 'pdf']

/**
 * Erases who it is from what the provider sent about a customer, and what was taken over from there: links to pages that
 * show it, and what somebody wrote on items. Events that were not worked on yet are left alone: they are erased the next time.
 *
 * @returns how many rows of what was sent are others now
 */
export async function eraseProviderRows(trx: Trx, customerId: string): Promise<number> {
  await sql`
    update pending_item set content = content || '{"description": "erased"}'
     where customer_id = ${customerId} and content ->> 'description' <> 'erased'`.execute(trx)
  await sql`
    update invoice set hosted_invoice_url = null, invoice_pdf = null
     where customer_id = ${customerId} and (hosted_invoice_url is not null or invoice_pdf is not null)`.execute(
    trx,
  )
  await sql`update credit_note set pdf = null where customer_id = ${customerId} and pdf is not null`.execute(
    trx,
  )
  // Of what the application was told: a link to pay by is of no use any more, and shows a name.
  await sql`
    update outgoing_event set data = data || (
      select jsonb_object_agg(name, null) from unnest(${LINKS}::text[]) name where data ? name)
     where customer_id = ${customerId} and data ?| ${LINKS}::text[]`.execute(trx)
  const { events, objects } = await providerRows(trx, customerId)
  const changed = { events: changedOf(events), objects: changedOf(objects) }
  for (const { id, erased } of changed.events) {
    await sql`update provider_event set payload = ${erased}::jsonb where provider = 'stripe' and id = ${id}`.execute(
      trx,
    )
  }
  for (const { id, erased } of changed.objects) {
    await sql`update provider_object set raw = ${erased}::jsonb where provider = 'stripe' and id = ${id}`.execute(
      trx,
    )
  }
  return changed.events.length + changed.objects.length
}

/** Whose a card was before it was detached: then it is nobody's. */
const FORMER_CUSTOMER = sql`payload #>> '{data,previous_attributes,customer}'`

/** Customers without a profile, of whom the provider told something since: also of a card that is theirs no more. */
export async function erasedCustomersHeardOf(db: Db, since: Instant): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    with forgotten as (
      select linked.id, linked.provider_id
        from (select entity_id as id, provider_id from mapping where provider = 'stripe' and entity_type = 'customer'
          union all select customer_id, provider_id from former_customer where provider = 'stripe') as linked
       where not exists (select from customer_profile p where p.customer_id = linked.id)
    ), recent as (
      select object_id, coalesce(payload #>> '{data,object,customer}', ${FORMER_CUSTOMER}) as customer_id
        from provider_event where received_at >= ${sqlTime(since)}
    )
    select id from forgotten join recent on object_id = provider_id
    union
    select id from forgotten join recent on customer_id = provider_id
    union
    select forgotten.id from forgotten join provider_event card
        on card.object_type = 'payment_method' and card.payload #>> '{data,object,customer}' = provider_id
      join recent on recent.object_id = card.object_id and recent.customer_id is null`.execute(db)
  return rows.map(({ id }) => id)
}

interface ProviderRow {
  readonly id: string
  readonly content: unknown
}

/**
 * What was sent of a customer under any name that the provider had for it, unless that stands for another one now. A
 * dispute does not name its customer, and its evidence does; a card that was detached is nobody's any more. No index leads
 * there: erasing is rare, and reads the whole inbox once.
 */
async function providerRows(trx: Trx, customerId: string) {
  const theirs = await sql<{ providerId: string }>`
    select provider_id from mapping
     where entity_type = 'customer' and entity_id = ${customerId} and provider = 'stripe'
    union
    select provider_id from former_customer former
     where customer_id = ${customerId} and provider = 'stripe' and not exists (select from mapping m
       where m.provider_id = former.provider_id and m.provider = 'stripe' and m.entity_type = 'customer')`.execute(
    trx,
  )
  const ids = sql`${theirs.rows.map(({ providerId }) => providerId)}::text[]`
  const events = await sql<ProviderRow>`
    select id, payload as content from provider_event
     where state <> 'received'
       and (object_id = any (${ids}) or payload #>> '{data,object,customer}' = any (${ids}) or ${FORMER_CUSTOMER} = any (${ids})
         or object_id in (select provider_dispute_id from dispute where customer_id = ${customerId})
         or object_id in (select card.object_id from provider_event card where card.object_type = 'payment_method'
           and card.payload #>> '{data,object,customer}' = any (${ids})))
     order by id collate "C"`.execute(trx)
  const objects = await sql<ProviderRow>`
    select id, raw as content from provider_object
     where (id = any (${ids}) or raw ->> 'customer' = any (${ids}))
       or id in (select provider_dispute_id from dispute where customer_id = ${customerId})`.execute(trx)
  return { events: events.rows, objects: objects.rows }
}

/** Those that say who it is, with what is left of them. */
function changedOf(rows: readonly ProviderRow[]): { readonly id: string; readonly erased: string }[] {
  return rows.flatMap(({ id, content }) => {
    const erased = JSON.stringify(withoutPersonalData(content))
    return erased === JSON.stringify(content) ? [] : [{ id, erased }]
  })
}
