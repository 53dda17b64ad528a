/** A transaction for the audit's suites. */

/** Every field of the contract, all of them right; noon of 2026-01-10. */
export const TEST_TRANSACTION = {
  transaction_id: "0A000000-0000-4000-8000-000000000001",
  timestamp: "2026-01-10T12:00:00Z",
  account_id: "ACC1",
  amount: 5,
  currency: "EUR",
  merchant_name: "Merchant",
  merchant_category: "retail",
  transaction_type: "purchase",
  location_country: "DE",
  status: "completed",
};
