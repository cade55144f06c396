.PHONY: help demo test prove cover check synth deploy bench lock format clean
PYTHON ?= python3
BIN := .venv/bin

help:    ## what there is
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ —/'

demo: .venv/ready    ## the main job, once, in the embedded cloud
	$(BIN)/sluice demo

test: .venv/ready    ## the tests, but for slow proofs
	$(BIN)/pytest -n auto --dist loadfile -m 'not slow'

prove: .venv/ready    ## the slow proofs: the demo, the built layers, deadlines
	$(BIN)/pytest -n auto --dist loadfile -m slow

cover: .venv/ready    ## the tests again, watched: which lines they reach, at half the speed
	$(BIN)/pytest -n auto --dist loadfile -m 'not slow' --cov --cov-report=term:skip-covered

check: .venv/ready    ## style, types, import contracts, the synthesised stack, generated docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m infra.app
	$(BIN)/cfn-lint --ignore-checks W3005 -- 'cdk.out/*.template.json'  # W3005: a DependsOn of the CDK's own
	$(BIN)/python -m cli.reference --check

synth: .venv/ready    ## the CloudFormation template, in cdk.out
	$(BIN)/python -m infra.app

deploy: .venv/ready    ## into the AWS account of your credentials
	npm ci --silent
	npx cdk bootstrap
	npx cdk deploy

bench: .venv/ready    ## every claim of speed beside its peer, into docs/benchmarks.md
	$(BIN)/python -m bench

docs: .venv/ready    ## the generated pages
	$(BIN)/python -m cli.reference

lock: .venv/ready    ## the newest versions that pyproject.toml allows, into requirements.lock
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --generate-hashes --no-emit-index-url --no-header \
	  --upgrade --quiet --output-file requirements.lock

format: .venv/ready    ## what a tool can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# One lock file, hashes checked; the project itself is linked, not copied.
.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

clean:    ## everything that can be made again
	rm -rf .venv build cdk.out node_modules .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
