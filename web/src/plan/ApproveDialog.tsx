import { Button, Group, Stack, Text, TextInput, Title } from "@mantine/core";
import { type FormEvent, useState } from "react";
import type { PlanDocument } from "../api/documents";
import { Dialog } from "../parts/Dialog";

interface Props {
  plan: PlanDocument;
  act: string;
  grave: boolean;
  opened: boolean;
  busy: boolean;
  onClose: () => void;
  onAgree: () => void;
}

/** The last question before anything is changed. */
export function ApproveDialog(props: Props) {
  const { plan, act, opened, onClose } = props;
  const question = act === "Apply" ? `Apply this plan to ${plan.cluster}?` : `${act}: ${plan.cluster}?`;
  return (
    <Dialog label={question} opened={opened} onClose={onClose}>
      <Question {...props} question={question} />
    </Dialog>
  );
}

function Question({ plan, act, grave, busy, onClose, onAgree, question }: Props & { question: string }) {
  const [typed, setTyped] = useState("");
  const steps = plan.steps.length === 1 ? "this step is" : `these ${plan.steps.length} steps are`;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!grave || typed === plan.cluster) onAgree();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <Title order={2} size="h4">
          {question}
        </Title>
        <Text size="sm">
          Exactly {steps} done. If something has moved since the plan was made, nothing is.
        </Text>
        {grave && (
          <TextInput
            data-autofocus
            label={`Type ${plan.cluster} to go on`}
            description="Data is lost by this, and cannot be brought back."
            value={typed}
            onChange={(event) => setTyped(event.currentTarget.value)}
            autoComplete="off"
            spellCheck={false}
          />
        )}
        <Group mt="xs" justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Not now
          </Button>
          <Button
            type="submit"
            data-autofocus={grave ? undefined : true}
            color={grave ? "red" : undefined}
            loading={busy}
            disabled={grave && typed !== plan.cluster}
          >
            {act === "Apply" ? `Apply ${plan.steps.length} steps` : act}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
