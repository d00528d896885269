import { Button, Group, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import type { ReactNode } from "react";
import { Dialog } from "./Dialog";

interface Props {
  question: string;
  about: string;
  act: string;
  onAgree: () => void;
  children: (ask: () => void) => ReactNode;
}

/** Asks once more before something that cannot be taken back. */
export function Certain({ question, about, act, onAgree, children }: Props) {
  const [opened, dialog] = useDisclosure(false);
  return (
    <>
      {children(dialog.open)}
      <Dialog label={question} opened={opened} onClose={dialog.close}>
        <Title order={2} size="h4" mb="sm">
          {question}
        </Title>
        <Text size="sm">{about}</Text>
        <Group mt="lg" justify="flex-end">
          <Button variant="default" data-autofocus onClick={dialog.close}>
            Not now
          </Button>
          <Button
            color="red"
            onClick={() => {
              dialog.close();
              onAgree();
            }}
          >
            {act}
          </Button>
        </Group>
      </Dialog>
    </>
  );
}
