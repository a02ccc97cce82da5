import { Alert, Button, Paper, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { ApiProblem } from "../api/problem";
import { logIn } from "../api/session";
import { LanguageSwitch } from "../ui/LanguageSwitch";
import { Logo } from "../ui/Logo";
import { useProblemText } from "../ui/problems";
import classes from "./LoginPage.module.css";

export function LoginPage({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const textOf = useProblemText();
  const login = useMutation({ mutationFn: () => logIn(name, password), onSuccess: onDone, meta: { quiet: true } });

  const submit = (event: FormEvent) => {
    event.preventDefault();
    login.mutate();
  };

  return (
    <main className={classes.page}>
      <Paper className={`k-card ${classes.card}`} component="form" onSubmit={submit}>
        <Stack>
          <Logo size={44} />
          <Title order={1} size="h2">
            {t("login.title")}
          </Title>
          <Text c="dimmed">{t("login.text")}</Text>
          <TextInput
            label={t("login.name")}
            dir="ltr"
            autoComplete="username"
            required
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <PasswordInput
            label={t("login.password")}
            dir="ltr"
            autoComplete="current-password"
            required
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
          />
          {login.error && (
            <Alert color="red" role="alert">
              {isRefused(login.error) ? t("login.wrong") : textOf(login.error).title}
            </Alert>
          )}
          <Button type="submit" loading={login.isPending}>
            {t("login.submit")}
          </Button>
          <LanguageSwitch />
        </Stack>
      </Paper>
    </main>
  );
}

/** Here, where there is no session yet, it is what was typed that is wrong. */
function isRefused(error: unknown): boolean {
  return error instanceof ApiProblem && error.code === "unauthenticated";
}
