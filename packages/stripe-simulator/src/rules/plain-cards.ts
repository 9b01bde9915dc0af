/** A test card that has nothing to it but that it pays. */
export interface PlainCard {
  readonly number: string
  readonly brand: string
  readonly funding: 'credit' | 'debit' | 'prepaid'
  /** ISO 3166-1, in capitals. */
  readonly country: string
  /** Without `pm_card_` and `tok_`; null for a card that is known by its number only. */
  readonly token: string | null
}

/** https://docs.stripe.com/testing#cards, and #international-cards for the countries of two of them. */
const BY_BRAND = `
4242424242424242    visa       credit  US visa
4242424242424242    visa       credit  US us
4000056655665556    visa       debit   US visa_debit
5555555555554444    mastercard credit  US mastercard
2223003122003222    mastercard credit  US -
5200828282828210    mastercard debit   US mastercard_debit
5105105105105100    mastercard prepaid US mastercard_prepaid
378282246310005     amex       credit  US amex
371449635398431     amex       credit  US -
6011111111111117    discover   credit  US discover
6011000990139424    discover   credit  US -
6011981111111113    discover   debit   US -
3056930009020004    diners     credit  US diners
36227206271667      diners     credit  US -
3566002020360505    jcb        credit  JP jcb
3530111333300000    jcb        credit  JP -
6200000000000005    unionpay   credit  CN unionpay
6200000000000047    unionpay   debit   CN -
6205500000000000004 unionpay   credit  CN -
5200007840000022    mastercard credit  AE ae_mastercard
4000058260000005    visa       debit   GB gb_debit
5555558265554449    mastercard credit  GB gb_mastercard
4000007640000003    visa       credit  TH th_credit
4000057640000008    visa       debit   TH th_debit`

/** Visa credit cards named by their country. https://docs.stripe.com/testing#international-cards */
const BY_COUNTRY = `
AR 4000000320000021 BR 4000000760000002 CA 4000001240000000 CL 4000001520000001 CO 4000001700000003
CR 4000001880000005 EC 4000002180000000 MX 4000004840008001 PA 4000005910000000 PY 4000006000000066
PE 4000006040000068 UY 4000008580000003
AE 4000007840000001 AT 4000000400000008 BE 4000000560000004 BG 4000001000000000 BY 4000001120000005
HR 4000001910000009 CY 4000001960000008 CZ 4000002030000002 DK 4000002080000001 EE 4000002330000009
FI 4000002460000001 FR 4000002500000003 DE 4000002760000016 GI 4000002920000005 GR 4000003000000030
HU 4000003480000005 IE 4000003720000005 IT 4000003800000008 LV 4000004280000005 LI 4000004380000004
LT 4000004400000000 LU 4000004420000006 MT 4000004700000007 NL 4000005280000002 NO 4000005780000007
PL 4000006160000005 PT 4000006200000007 RO 4000006420000001 SI 4000007050000006 SK 4000007030000001
ES 4000007240000007 SE 4000007520000008 CH 4000007560000009 GB 4000008260000000
AU 4000000360000006 CN 4000001560000002 HK 4000003440000004 IN 4000003560000008 JP 4000003920000003
MY 4000004580000002 NZ 4000005540000008 SG 4000007020000003 TW 4000001580000008`

export const plainCards: readonly PlainCard[] = [
  ...BY_BRAND.trim()
    .split('\n')
    .map((line) => {
      const [number = '', brand = '', funding = '', country = '', token = ''] = line.split(/ +/)
      return {
        number,
        brand,
        funding: funding as PlainCard['funding'],
        country,
        token: token === '-' ? null : token,
      }
    }),
  ...[...BY_COUNTRY.matchAll(/([A-Z]{2}) (\d+)/g)].map(([, country = '', number = '']) => ({
    number,
    brand: 'visa',
    funding: 'credit' as const,
    country,
    token: country.toLowerCase(),
  })),
]

/**
 * Test cards that Stripe documents and that are not played: what becomes of most of them is a matter of the
 * account's risk rules, of others of networks, warnings and balances that the simulator has not.
 * https://docs.stripe.com/testing#fraud-prevention, #co-branded-cards, #disputes, #available-balance, #three-ds-cards
 */
const UNPLAYED = `
riskLevelHighest 4000000000004954
riskLevelElevated 4000000000009235
highFraudDisputeScore 4000008400000407
highEfwScore 4000008400000159
radarDynamicRiskThreshold 4000008400001017
freeTrialAbuseBlock 4001858821843804
adaptive3dsChallenge 4000008405600003
cvcCheckFail 4000000000000101
avsZipFail 4000000000000036
cvcCheckFailElevatedRisk 4000058400307872
avsZipFailElevatedRisk 4000058400306072
avsLine1Fail 4000000000000028
avsFail 4000000000000010
avsUnchecked 4000000000000044
visa_cartesBancaires 4000002500001001
mastercard_cartesBancaires 5555552500001001
visa_debit_eftposAuCoBranded 4000050360000001
mastercard_debit_eftposAuCoBranded 5555050360000080
createIssuerFraudRecord 4000000000005423
createMultipleDisputes 4000004040000079
bypassPending 4000000000000077
bypassPendingInternational 4000003720000278
threeDSecureRequiredProcessingError 4000008400001280
threeDSecureOptionalProcessingError 4000000000003097`

const unplayed = new Set(UNPLAYED.trim().split(/\s+/))

/** Whether a token, without its prefix, or a number is one of Stripe's that the simulator does not play. */
export function isUnplayed(tokenOrNumber: string): boolean {
  return unplayed.has(tokenOrNumber)
}
