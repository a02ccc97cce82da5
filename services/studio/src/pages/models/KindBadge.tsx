import { useTranslation } from "react-i18next";
import { Chip, type Tone } from "../../ui/Chip";

const TONES: Record<string, Tone> = { adapter: "accent", gguf: "warn" };

/** What kind of model it is; one that is not known by name here is told as the API tells it. */
export function KindBadge({ kind }: { kind: string }) {
  const { t } = useTranslation("models");
  return (
    <Chip strong tone={TONES[kind] ?? "info"}>
      {t(`kinds.${kind}`, kind)}
    </Chip>
  );
}
