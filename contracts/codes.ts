/** Code lists of the contract, from maintained data packages. */
import currencyCodes from "currency-codes";
import countryCodes from "i18n-iso-countries/codes.json" with { type: "json" };

/**
 * ISO 4217 alpha codes in use. XXX (no currency) and XTS (reserved for tests) are on the ISO list but
 * name no money that a transaction could be in, so the contract leaves them out.
 */
export const CURRENCIES: ReadonlySet<string> = new Set(
  currencyCodes.codes().filter((code: string) => code !== "XXX" && code !== "XTS"),
);

/** ISO 3166-1 alpha-2 codes. XK (Kosovo) is user-assigned, not in ISO 3166-1, so it is left out. */
export const COUNTRIES: ReadonlySet<string> = new Set(
  countryCodes.map(([alpha2]) => alpha2!).filter((code) => code !== "XK"),
);
