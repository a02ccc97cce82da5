// What a model would be trained on: rows with their loss, and figures over many.
import { Button, Group, NumberInput, Select, Stack, Text } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { IconBox } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { DatasetVersion } from "../../api/client";
import { type Tokens, tokensQuery } from "../../api/datasets";
import { installedQuery, recipesQuery } from "../../api/platform";
import { useFormat } from "../../lib/format";
import { MaskLegend, MaskView } from "../../ui/MaskView";
import { Bones, Empty, Failed } from "../../ui/states";
import classes from "./DatasetPage.module.css";
import { Block } from "./StatisticsTab";
import { TokenFigures } from "./TokenFigures";

const AT_ONCE = 3;

export function TokensTab({ version }: { version: DatasetVersion }) {
  const { t } = useTranslation("tokens");
  const { data, error, refetch } = useQuery(installedQuery);
  if (error !== null && data === undefined) return <Failed error={error} again={() => void refetch()} />;
  if (data === undefined) return <Bones lines={2} height={120} />;
  if (data.models.length === 0)
    return (
      <Empty title={t("noModel")} text={t("noModelText")} icon={<IconBox size={48} stroke={1.2} />}>
        <Button component={Link} to="/hub">
          {t("toHub")}
        </Button>
      </Empty>
    );
  return <Chosen version={version} models={data.models.map(({ name }) => name)} />;
}

function Chosen({ version, models }: { version: DatasetVersion; models: string[] }) {
  const { t } = useTranslation("tokens");
  const { data: recipes } = useQuery(recipesQuery);
  const [model, setModel] = useState(models.at(-1) ?? "");
  const [recipe, setRecipe] = useState<string | null>(null);
  const [typed, setTyped] = useState<number | null>(null);
  const [maxLength] = useDebouncedValue(typed, 500);
  const fitting = recipes?.items.filter((one) => one.formats.includes(version.format)) ?? [];
  return (
    <Stack gap="lg">
      <div className={classes.tools}>
        <Select
          w={240}
          label={t("model")}
          data={models}
          allowDeselect={false}
          searchable
          value={model}
          onChange={(name) => setModel(name ?? model)}
        />
        <Select
          w={240}
          label={t("recipe")}
          placeholder={t("recipeAuto")}
          clearable
          data={fitting.map(({ name, title }) => ({ value: name, label: title }))}
          value={recipe}
          onChange={setRecipe}
        />
        <NumberInput
          w={170}
          label={t("maxLength")}
          placeholder={t("maxLengthAuto")}
          min={8}
          max={1_048_576}
          allowDecimal={false}
          value={typed ?? ""}
          onChange={(value) => setTyped(Number(value) >= 8 ? Number(value) : null)}
        />
      </div>
      <Counted key={`${model} ${recipe}`} version={version} model={model} recipe={recipe} maxLength={maxLength} />
    </Stack>
  );
}

interface CountedProps {
  version: DatasetVersion;
  model: string;
  recipe: string | null;
  maxLength: number | null;
}

function Counted({ version, model, recipe, maxLength }: CountedProps) {
  const [first, setFirst] = useState(0);
  const asked = { model, recipe, maxLength, version: version.version };
  const rows = useQuery(tokensQuery(version.dataset, { ...asked, rows: { offset: first, limit: AT_ONCE }, sample: 0 }));
  const sums = useQuery(tokensQuery(version.dataset, { ...asked, rows: { offset: 0, limit: 0 } }));
  if (rows.error !== null) return <Failed error={rows.error} again={() => void rows.refetch()} />;
  if (rows.data === undefined) return <Bones lines={3} height={150} />;
  return (
    <Stack gap="lg">
      <Rows told={rows.data} total={version.stats.rows} first={first} onMove={setFirst} />
      {sums.data?.figures && <TokenFigures told={sums.data} figures={sums.data.figures} />}
      {sums.data === undefined && sums.error === null && <Bones lines={2} height={120} />}
      {sums.error !== null && <Failed error={sums.error} again={() => void sums.refetch()} />}
    </Stack>
  );
}

interface RowsProps {
  told: Tokens;
  total: number;
  first: number;
  onMove: (first: number) => void;
}

function Rows({ told, total, first, onMove }: RowsProps) {
  const { t } = useTranslation("tokens");
  const format = useFormat();
  return (
    <Block title={t("mask")} text={t(`learns.${told.learns}`)}>
      <Stack>
        <Group justify="space-between" gap="xs">
          <MaskLegend />
          <Group gap="xs">
            <Button
              size="xs"
              variant="default"
              disabled={first === 0}
              onClick={() => onMove(Math.max(0, first - AT_ONCE))}
            >
              {t("previous")}
            </Button>
            <Button
              size="xs"
              variant="default"
              disabled={first + AT_ONCE >= total}
              onClick={() => onMove(first + AT_ONCE)}
            >
              {t("next")}
            </Button>
          </Group>
        </Group>
        {told.rows.map((row) => (
          <MaskView key={row.row} row={row} />
        ))}
        <Text size="sm" c="dimmed" className="k-numbers">
          {t("how", { recipe: told.recipe, length: format.number(told.length) })}{" "}
          {told.template && t(`template.${told.template}`)}
        </Text>
      </Stack>
    </Block>
  );
}
