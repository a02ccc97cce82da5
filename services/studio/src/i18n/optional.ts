// Texts for words that the API brings and that may be new: where there is none, the word of the API stands.
import { useTranslation } from "react-i18next";

/** `namespace:key` in the language of the page, or `otherwise`. The namespaces must be named, so that they are loaded. */
export function useTextOr(...namespaces: string[]): (key: string, otherwise: string) => string {
  const { t, i18n } = useTranslation(namespaces);
  return (key, otherwise) => (i18n.exists(key) ? t(key) : otherwise);
}
