import { defineCatalog } from '@lockstep/core/catalog'

/** A small cloud: a monthly fee, and everything else by what was used. The story is in README.md. */
export default defineCatalog({
  currency: 'usd',
  products: {
    cloud: { name: 'Cloud host' },
    compute: { name: 'Compute', unitLabel: 'second' },
    bandwidth: { name: 'Bandwidth', unitLabel: 'byte' },
    storage: { name: 'Storage', unitLabel: 'GiB' },
    requests: { name: 'Requests', unitLabel: 'request' },
    support: { name: 'Support' },
  },
  meters: {
    compute_seconds: { name: 'Compute', unitLabel: 'second', aggregation: 'sum' },
    bandwidth_bytes: { name: 'Bandwidth', unitLabel: 'byte', aggregation: 'sum' },
    // The largest volume of the month counts, however often it was measured.
    storage_gib: { name: 'Storage', unitLabel: 'GiB', aggregation: 'max' },
    requests: { name: 'Requests', unitLabel: 'request', aggregation: 'sum' },
  },
  features: {
    regions: { name: 'Regions', kind: 'limit', unitLabel: 'region' },
    private_network: { name: 'Private network', kind: 'switch' },
    transfer: { name: 'Transfer', kind: 'metered', meter: 'bandwidth_bytes' },
  },
  plans: {
    'cloud-host': {
      name: 'Cloud host',
      product: 'cloud',
      interval: 'month',
      prices: {
        fee: { kind: 'recurring', model: 'flat', amount: '20.00' },
        compute: {
          meter: 'compute_seconds',
          product: 'compute',
          model: 'perUnit',
          unitAmount: '0.0000144',
        },
        bandwidth: {
          meter: 'bandwidth_bytes',
          product: 'bandwidth',
          model: 'graduated',
          tiers: [
            { upTo: '1000000000', unitAmount: '0' },
            { upTo: '10000000000000', unitAmount: '0.00000000009' },
            { upTo: null, unitAmount: '0.00000000007' },
          ],
        },
        storage: {
          meter: 'storage_gib',
          product: 'storage',
          model: 'volume',
          tiers: [
            { upTo: '100', unitAmount: '0.15' },
            { upTo: '1000', unitAmount: '0.12' },
            { upTo: null, unitAmount: '0.10' },
          ],
        },
        requests: {
          meter: 'requests',
          product: 'requests',
          model: 'package',
          size: '1000000',
          amount: '0.40',
        },
        support: { product: 'support', model: 'percentage', percent: '10' },
      },
      grants: {
        regions: { upTo: '3' },
        private_network: true,
        // The first gigabyte is free; what comes after it is billed.
        transfer: { upTo: '1000000000', beyond: 'billed' },
      },
    },
    // For who computes the whole year: two months of the fee less, and a million seconds of each month for nothing.
    'compute-year': {
      name: 'Compute year',
      product: 'cloud',
      interval: 'year',
      usageInterval: 'month',
      prices: {
        fee: { kind: 'recurring', model: 'flat', amount: '200.00' },
        compute: {
          meter: 'compute_seconds',
          product: 'compute',
          model: 'perUnit',
          unitAmount: '0.0000144',
          included: '1000000',
        },
      },
    },
  },
  addons: {
    snapshots: {
      name: 'Daily snapshots',
      product: 'storage',
      interval: 'month',
      plans: ['cloud-host'],
      prices: { server: { kind: 'recurring', model: 'perUnit', unitAmount: '4.00' } },
    },
  },
})
