// The recipe's parameters, drawn from its schema: the four of every training, then the common ones, then all.
import { Accordion, Switch, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Param } from "../../lib/params";
import type { PartProps } from "./Basics";
import classes from "./NewPage.module.css";
import { ParamField } from "./ParamField";

const FIRST = ["epochs", "learning_rate", "batch_size", "max_steps"];
const COMMON = ["method", "max_length", "lora_r", "lora_alpha", "lora_dropout"];

export function Parameters({ draft, plan, change, problems }: PartProps) {
  const { t } = useTranslation("new");
  const groups = grouped(plan.params);
  const fields = (params: Param[]) => (
    <div className={classes.params}>
      {params.map((param) => (
        <ParamField
          key={param.name}
          param={param}
          given={draft.given[param.name]}
          onGiven={(given) => change({ given: { ...draft.given, [param.name]: given } })}
          wrong={plan.wrongs.get(param.name) ?? null}
          problem={problems.get(param.name)}
          advanced={draft.advanced}
        />
      ))}
    </div>
  );
  const open = (params: Param[]) => params.some(({ name }) => problems.has(name) || plan.wrongs.get(name) != null);
  return (
    <section className={`k-card ${classes.section}`}>
      <Title order={2} size="h4" mb="md">
        {t("params.title")}
      </Title>
      {fields(groups.first)}
      <Accordion
        multiple
        variant="default"
        mt="md"
        chevronPosition="left"
        order={3}
        defaultValue={[...(open(groups.common) ? ["common"] : []), ...(open(groups.rest) ? ["rest"] : [])]}
      >
        <Accordion.Item value="common">
          <Accordion.Control>{t("params.common")}</Accordion.Control>
          <Accordion.Panel>{fields(groups.common)}</Accordion.Panel>
        </Accordion.Item>
        <Accordion.Item value="rest">
          <Accordion.Control>{t("params.rest")}</Accordion.Control>
          <Accordion.Panel>
            <Switch
              mb="lg"
              label={t("params.wide")}
              description={t("params.wideText")}
              checked={draft.advanced}
              onChange={(event) => change({ advanced: event.currentTarget.checked })}
            />
            {fields(groups.rest)}
          </Accordion.Panel>
        </Accordion.Item>
      </Accordion>
    </section>
  );
}

function grouped(params: Param[]) {
  const first = FIRST.flatMap((name) => params.filter((param) => param.name === name));
  const others = params.filter((param) => !first.includes(param));
  const early = ({ name, common }: Param) => common || COMMON.includes(name);
  const place = ({ name }: Param) => (COMMON.includes(name) ? COMMON.indexOf(name) : COMMON.length);
  return {
    first,
    common: others.filter(early).sort((one, other) => place(one) - place(other)),
    rest: others.filter((param) => !early(param)),
  };
}
